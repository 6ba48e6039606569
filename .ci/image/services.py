"""The network of a connector in a container: a resolver, a TLS server in front of the mock, and a server whose responses are
large or never come. All of them listen on the loopback of a separate network.
"""

import json
import socket
import ssl
import struct
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The name that the resolver knows.
RESOLVED = "api.resolver.test"
# Larger than a response that is kept in memory, in bytes.
LARGE = 6 * 1024 * 1024


def bring_loopback_up():
    """Starts the loopback of a new network namespace: SIOCGIFFLAGS and SIOCSIFFLAGS with IFF_UP."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, 0x8913, request))[1]
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def serve_dns():
    """Answers questions for RESOLVED with 127.0.0.1, and all others with NXDOMAIN."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))

    def answer():
        while True:
            query, client = server.recvfrom(512)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode())
                at += query[at] + 1
            kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
            known = ".".join(labels).lower() == RESOLVED
            address = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x01" if known and kind == 1 else b""
            head = query[:2] + (b"\x81\x80" if known else b"\x81\x83") + b"\0\x01"
            server.sendto(
                head + struct.pack(">H", bool(address)) + b"\0\0\0\0" + query[12 : at + 5] + address, client
            )

    threading.Thread(target=answer, daemon=True).start()


def make_certificates(folder, names):
    """Creates an authority and its certificate for the names: ca.pem, server.pem and server.key."""

    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, cwd=folder, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Image test")
    (folder / "names").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server")
    signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    openssl("x509", "-req", "-in", "server.csr", *signing, "-out", "server.pem")


def serve_tls(folder, port):
    """Serves TLS in front of the plain server at `port`. Returns the port of the TLS server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve(client):
        try:
            encrypted = context.wrap_socket(client, server_side=True)
        except OSError:
            return
        plain = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=pump, args=(plain, encrypted), daemon=True).start()
        pump(encrypted, plain)

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def serve_oddities():
    """Serves Stripe's list of `shipping_rates` with one record of LARGE bytes. Other requests get none. Returns the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if not self.path.startswith("/v1/shipping_rates"):
                time.sleep(600)
                return
            record = {"id": "shr_1", "object": "shipping_rate", "created": int(time.time()) - 60, "x": "y" * LARGE}
            body = json.dumps({"object": "list", "has_more": False, "data": [record]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            # The connector was stopped, and has closed the connection.
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
