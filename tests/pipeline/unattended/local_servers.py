"""A web server that speaks TLS, and a mail server that knows STARTTLS and passwords, on loopback."""

import base64
import http.server
import socketserver
import ssl
import subprocess
import threading
from contextlib import contextmanager


def certificate(folder):
    """A certificate for 127.0.0.1 that nobody but this test trusts: (certificate, key)."""
    asked = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1"
    command = ["openssl", *asked.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@contextmanager
def _serving(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _context(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@contextmanager
def web(got, status=200, tls=None):
    """Take POSTs into the list `got` as (path, type, body); gives the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers["Content-Type"], body))
            self.send_response(status)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = _context(*tls).wrap_socket(server.socket, server_side=True)
    with _serving(server) as port:
        yield port


@contextmanager
def post_office(got, tls=None, refuses=()):
    """Take mail into the list `got` as (user and password or None, encrypted, recipients, text); gives the port."""

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line):
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self):
            login, encrypted, to = None, False, []
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                word = line.split()[0].upper()
                if word == "EHLO":
                    self.say("250-here")
                    self.say("250 AUTH PLAIN" if encrypted or not tls else "250 STARTTLS")
                elif word == "STARTTLS":
                    self.say("220 go on")
                    self.connection = _context(*tls).wrap_socket(self.connection, server_side=True)
                    self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                    encrypted = True
                elif word == "AUTH":
                    _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
                    login = (user, password)
                    self.say("535 no" if password in refuses else "235 yes")
                elif word == "RCPT":
                    to.append(line.partition(":")[2].strip("<> "))
                    self.say("250 yes")
                elif word == "DATA":
                    self.say("354 go on")
                    text = b""
                    while (more := self.rfile.readline()) != b".\r\n":
                        text += more
                    got.append((login, encrypted, to, text.decode()))
                    to = []
                    self.say("250 taken")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 yes")

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port
