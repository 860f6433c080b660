"""Shards: parquet files with a row per clip. Only this package knows their format.

Every row is a row group of its own, so that a clip is read without the rest. Array columns are binary cells. Metadata
of the field holds ``dtype`` and ``shape`` (the first axis is free), so a reader needs no other file::

    table = pyarrow.parquet.read_table("shard.parquet")
    points = numpy.frombuffer(table["points"][0].as_py(), "<f4").reshape(-1, 68, 2)

Every row has an ``id`` and a ``key``, the hash of everything that determines its bytes. A rebuild keeps rows with an
unchanged key. So a killed build continues, an added clip costs one clip, and the bytes equal those of a new build.
"""
