"""What the law and the centre's promise ask for: erasure with a certificate, retention by class."""
