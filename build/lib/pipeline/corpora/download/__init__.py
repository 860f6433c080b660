"""Getting a corpus onto the disk: a record's archives, downloaded, checked and unpacked; or where to apply for one."""
