"""Published JSON Schemas of the documents that cross a border; each equals what its model says."""
