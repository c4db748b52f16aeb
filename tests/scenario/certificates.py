"""Certificates for scenarios, made with the openssl command: an authority, and what it signs."""
import os
import subprocess
import sys


def openssl(*words):
    result = subprocess.run(["openssl"] + list(words), capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        sys.exit("openssl %s: %s" % (" ".join(words), result.stderr))


class Authority:
    """A certificate authority of our own, in a folder: `path` is what a client must trust."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.path = os.path.join(folder, name + ".crt")
        self.key = os.path.join(folder, name + ".key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.key, "-out", self.path, "-days", "2", "-subj", "/CN=" + name)

    def sign(self, name, host="127.0.0.1", days=2):
        """A server's certificate and key, by their paths. Negative days: it has expired."""
        base = os.path.join(self.folder, name)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", base + ".key", "-out", base + ".csr", "-subj", "/CN=" + name)
        kind = "IP" if host.replace(".", "").isdigit() else "DNS"
        with open(base + ".ext", "w") as file:
            file.write("subjectAltName=%s:%s\n" % (kind, host))
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.path, "-CAkey", self.key,
                "-CAcreateserial", "-out", base + ".crt", "-days", str(days),
                "-extfile", base + ".ext")
        return base + ".crt", base + ".key"
