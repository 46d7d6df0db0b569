"""ClickHouse without a server: its HTTP interface, as far as clickhouse-connect needs it, in front of chdb."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class ChdbServer:
    """Answers on a port of the loopback until closed."""

    def __init__(self, folder):
        from chdb import session

        self.session, self.lock = session.Session(str(folder)), threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.respond(b"")

            def do_POST(self):
                self.respond(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def respond(self, body):
                address = urlsplit(self.path)
                if address.path == "/ping":
                    return self.send(200, b"Ok.\n")
                options = {key: values[0] for key, values in parse_qs(address.query).items()}
                query = "\n".join(filter(None, [options.get("query", ""), body.decode()]))
                try:
                    return self.send(200, outer.run(query, options))
                except Exception as error:  # noqa: BLE001 - chdb raises whatever ClickHouse says
                    return self.send(500, str(error).encode())

            def send(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-ClickHouse-Timezone", "UTC")
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    def run(self, query, options):
        known = {key.removeprefix("param_"): value for key, value in options.items() if key.startswith("param_")}
        with self.lock:
            if "database" in options:
                self.session.query(f"USE `{options['database']}`")
            return self.session.query(
                query, options.get("default_format", "TabSeparated"), **({"params": known} if known else {})
            ).bytes()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.session.close()
