-- Documents that came as one deflate stream are kept as that: they are small already.

COMMENT ON COLUMN raw_document.data IS 'The document as a deflate stream (RFC 1951) where it came as one, else Zstandard-compressed.';
