"""Shards: the only code that knows how they are written and read.

A shard is a parquet file with one row, and one row group, a clip, so that one clip is read without the rest. Array
columns are binary cells; the field's metadata holds ``dtype`` and ``shape`` (the first axis free), so a reader needs no
other file::

    table = pyarrow.parquet.read_table("shard.parquet")
    points = numpy.frombuffer(table["points"][0].as_py(), "<f4").reshape(-1, 68, 2)

Every row has an ``id`` and a ``key``, the hash of all its bytes depend on. A rebuilt folder keeps rows whose key
stands, so a killed build goes on where it was and an added clip costs one clip; the bytes equal those of a build from
nothing.
"""
