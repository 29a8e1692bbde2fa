"""Where data comes from: files, buckets, databases, lakes; read in pieces and written as a Dataset."""
