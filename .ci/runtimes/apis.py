"""The APIs of the manifests that both runtimes read: a server on loopback for each read, with the jobs that were created."""

import gzip
import http.server
import io
import json
import threading
import zipfile
from urllib.parse import urlsplit

SECRET = "s3cret-of-the-check"


class Api:
    """A server; `answer` returns a body, or a status and a body. Use it as a context manager."""

    def __enter__(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Sends head and body together.
            wbufsize = -1

            def any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with api.lock:
                    answer = api.answer(self.command, urlsplit(self.path).path, self.headers, body)
                status, content = answer if isinstance(answer, tuple) else (200, answer)
                if not isinstance(content, bytes):
                    content = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = any

            # Every answer has the same date, because messages contain it.
            def date_time_string(self, timestamp=None):
                return "Thu, 01 Jan 2026 00:00:00 GMT"

            def log_message(self, *_):
                pass

        self.lock = threading.Lock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Jobs(Api):
    """Jobs that run at the first poll, and are done at the second."""

    def __init__(self):
        # The request that created each job, and its number of polls.
        self.jobs, self.polls = [], []

    def create(self, body):
        self.jobs.append(json.loads(body))
        self.polls.append(0)
        return str(len(self.jobs) - 1)

    def is_done(self, job):
        self.polls[int(job)] += 1
        return self.polls[int(job)] > 1


class Reports(Jobs):
    """`reports.yaml`: the visits of each month, in two gzipped CSV files."""

    config = {"api_key": SECRET, "start_date": "2026-01-01"}

    def answer(self, method, path, headers, body):
        if headers.get("X-Api-Key") != SECRET:
            return 403, {"error": "no key"}
        kind, _, rest = path.strip("/").partition("/")
        if kind == "reports" and not rest:
            return {"id": self.create(body)}
        if kind == "reports" and method == "GET":
            return {"state": "ready", "files": [f"{rest}-0", f"{rest}-1"]} if self.is_done(rest) else {"state": "queued"}
        if kind == "files":
            job, part = map(int, rest.split("-"))
            return gzip.compress(self.rows(self.jobs[job], part).encode())
        return {}

    @staticmethod
    def rows(job, part):
        """The days of one half of a month. A branch has a comma and a quotation mark, another one has no name."""
        rows = ["id,day,branch,visitors\n"]
        month = job["from"][:7]
        for day in range(1 + 14 * part, 15 + 14 * part):
            date = f"{month}-{day:02}"
            if job["from"] <= date <= job["to"]:
                branch = ["North", '"Old, ""big"""', "", "Süd"][day % 4]
                rows.append(f"{month[-2:]}{day:02},{date},{branch},{day * 7 % 10 or ''}\n")
        return "".join(rows)


class Orders(Jobs):
    """`orders.yaml`: the orders of each shop, in a ZIP archive of two files."""

    config = {"token": SECRET, "shops": ["north", "south"]}

    def answer(self, method, path, headers, body):
        kind, _, rest = path.strip("/").partition("/")
        if kind == "archives":
            return self.archive(self.jobs[int(rest)])
        if headers.get("Authorization") != f"Bearer {SECRET}":
            return 401, {"error": "no token"}
        if kind == "exports" and not rest:
            return {"export": {"id": self.create(body)}}
        if self.is_done(rest):
            return {"export": {"status": "COMPLETED", "archives": [{"url": f"{self.url}/archives/{rest}"}]}}
        return {"export": {"status": "PROCESSING"}}

    @staticmethod
    def archive(job):
        files = io.BytesIO()
        first = 0 if job["shop"] == "north" else 100
        with zipfile.ZipFile(files, "w", zipfile.ZIP_DEFLATED) as archive:
            for month in (1, 2):
                rows = ["id;state;total;changed\n"]
                for day in range(1, 29, 3):
                    changed = f"2026-{month:02}-{day:02}"
                    if job["since"] <= changed <= job["until"]:
                        state = "draft" if day % 4 == 0 else "paid"
                        rows.append(f"{first + 31 * month + day};{state};{day}.50;{changed}\n")
                archive.writestr(f"orders-{month}.csv", "".join(rows))
        return files.getvalue()


class Forms(Api):
    """`forms.yaml`: a stream for each form, with the columns of its questions."""

    config = {"token": SECRET}
    forms = {"f1": ("Visitors", False), "f2": ("Old", True), "7": ("Menu", False)}
    questions = {
        "f1": [{"name": "email", "kind": "text"}, {"name": "liked", "kind": "rating", "halves": True}],
        "7": [{"name": "stars", "kind": "rating"}, {"name": "dishes", "kind": "choices"}],
    }
    answers = {
        "f1": [{"answer_id": 1, "email": "a@example.com", "liked": 4.5}, {"answer_id": 2, "email": None}],
        "7": [{"answer_id": 1, "stars": 5, "dishes": ["soup", "pie"]}],
    }

    def answer(self, method, path, headers, body):
        if headers.get("Authorization") != f"Bearer {SECRET}":
            return 401, {"error": "no token"}
        kind, *rest = path.strip("/").split("/")
        if not rest:
            return {"forms": [{"id": id, "title": t, "archived": a} for id, (t, a) in self.forms.items()]}
        return {rest[1]: getattr(self, rest[1])[rest[0]]}


class Notes(Api):
    """A list for the manifest with a Python class."""

    config = {}

    def answer(self, method, path, headers, body):
        return {"notes": {"a": {"text": "one"}, "b": {"text": "two"}}} if path == "/notes" else (404, {})


EXAMPLES = {"reports": Reports, "orders": Orders, "forms": Forms}
