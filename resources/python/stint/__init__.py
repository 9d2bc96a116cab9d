"""A client of the Stint engine of this machine, on the standard library alone.

    import stint

    client = stint.connect()                    # or stint.Client(url, token)
    job = client.submit(["python", "train.py", "--lr", "0.1"], gpus=1, vram_mib=8192)
    done = client.wait(job["id"])
    print(done["status"], client.log(job["id"]))

Inside a job, `stint.progress` tells how far it is. It needs neither token nor engine: it writes a line that the
engine reads from the job's output, and outside a job it writes nothing.

    with stint.progress(total=len(loader)) as p:
        for batch in loader:
            loss = step(batch)
            p.step(loss=loss)
"""

import getpass
import json
import os
import re
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

__all__ = ["Client", "StintError", "connect", "progress"]
__version__ = "0.1.0"

OVER = frozenset(["succeeded", "failed", "cancelled", "timed-out", "lost"])


class StintError(Exception):
    """What the engine refused, or why it could not be asked.

    Attributes:
        status: HTTP status, or None if no answer came.
        code: as the interface names it, such as BAD_REQUEST; None if there is none.
        data: for programs: `field`, `value`, `remedy`, where they apply.
    """

    def __init__(self, message, status=None, code=None, data=None):
        super().__init__(message)
        self.status = status
        self.code = code
        self.data = data or {}


class Client:
    """Speaks to one engine over HTTP.

    Args:
        url: such as http://127.0.0.1:7717 or https://workstation:7717, without a path.
        token: from `stint token create NAME --scope act`.
        timeout_s: for one request.
        ca: file in PEM with who signs the engine's certificate, where that is nobody whom this machine trusts.
    """

    def __init__(self, url, token, timeout_s=30.0, ca=None):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url: %r is not usable; give https://HOST:PORT" % (url,))
        if parts.scheme == "http" and not re.match(r"(127\.[\d.]+|localhost|::1)$", parts.hostname):
            raise ValueError("url: %r is not usable; give https, or whoever reads along has the token" % (url,))
        if not token or any(c.isspace() for c in token):
            raise ValueError("token: not usable; `stint token create NAME --scope act` makes one")
        self._base = url.rstrip("/") + "/api/"
        self._token = token
        self._timeout_s = timeout_s
        # Not through a proxy: the engine is on this machine, and the token is nobody else's business.
        handlers = [urllib.request.ProxyHandler({})]
        if parts.scheme == "https":
            try:
                context = ssl.create_default_context(cafile=ca)
            except OSError as error:
                raise ValueError("ca: %r is not usable; give a file with certificates in PEM (%s)" % (ca, error)) from None
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def call(self, procedure, body=None):
        """Calls any procedure of the interface, such as "jobs.pause".

        Returns: its result, decoded. Raises: StintError.
        """
        request = urllib.request.Request(
            self._base + procedure.replace(".", "/"),
            data=json.dumps(body or {}).encode(),
            headers={"Authorization": "Bearer " + self._token, "Content-Type": "application/json"},
            method="POST",
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                text = answer.read().decode("utf-8")
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise StintError("the engine does not answer at %s (%s)" % (self._base, reason)) from error
        return json.loads(text) if text else None

    def submit(self, command, cwd=None, env=None, **spec):
        """Queues a job. `command`: program and arguments. `spec`: as the interface names it, in snake or camel case
        (gpus, vram_mib, priority, name, project, time_limit_s, …). Returns: the job.
        """
        if isinstance(command, str):
            raise TypeError('command: give program and arguments as a list, such as ["python", "train.py"]')
        body = {_camel(name): value for name, value in spec.items()}
        body.setdefault("user", getpass.getuser())
        body.update(command=[str(part) for part in command], cwd=os.path.abspath(cwd or os.getcwd()))
        if env is not None:
            body["env"] = {str(name): str(value) for name, value in env.items()}
        return self.call("jobs.submit", body)

    def job(self, job_id):
        """Returns: the job as it is now."""
        return self.call("jobs.get", {"id": job_id})

    def wait(self, job_id, timeout_s=None, every_s=1.0):
        """Waits until the job is over, through restarts of the engine as well.

        Returns: the job. Raises: TimeoutError after `timeout_s`; StintError if another queue refused it, so that it is held.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            try:
                job = self.job(job_id)
                if job["status"] in OVER:
                    return job
                if job["status"] == "held" and job["executor"] and job["cause"]:
                    raise StintError("job %s is %s" % (job_id, job["waitingReason"]), code="REFUSED")
            except StintError as error:
                # Nobody answers, or it is busy: later perhaps. A refusal stays one.
                if error.code == "REFUSED" or error.status not in (None, 429, 503):
                    raise
            if until is not None and time.monotonic() >= until:
                raise TimeoutError("job %s is not over after %g s" % (job_id, timeout_s))
            time.sleep(every_s if until is None else max(0.0, min(every_s, until - time.monotonic())))

    def cancel(self, job_id):
        """Returns: the job as it is now."""
        return self.call("jobs.cancel", {"id": job_id})

    def log(self, job_id):
        """Returns: all that the last attempt has written so far, as text."""
        pieces = []
        offset = 0
        while True:
            piece = self.call("logs.read", {"id": job_id, "offset": offset})
            pieces.append(piece["text"])
            if piece["nextOffset"] >= piece["size"] or piece["nextOffset"] == offset:
                return "".join(pieces)
            offset = piece["nextOffset"]

    def metrics(self, job_id):
        """Returns: the series that were read from the job's output."""
        return self.call("jobs.metrics", {"id": job_id})["series"]


def connect(url=None, token=None, **options):
    """A client from STINT_URL, STINT_TOKEN and STINT_CA, where they are not given.

    Raises: StintError that names what is missing.
    """
    url = url or os.environ.get("STINT_URL")
    token = token or os.environ.get("STINT_TOKEN")
    if not url:
        raise StintError("STINT_URL is not set; start `stint serve --port 7717` and give http://127.0.0.1:7717")
    if not token:
        raise StintError("STINT_TOKEN is not set; `stint token create NAME --scope act` makes one")
    options.setdefault("ca", os.environ.get("STINT_CA") or None)
    return Client(url, token, **options)


class progress:
    """Tells how far a job is: at most every `every_s` seconds, and at the end.

    Args:
        total: steps in all; None if nobody knows.
        every_s: the shortest time between two lines, s.
        stream: where to; the job's standard error when left out, and nowhere outside a job.
    """

    def __init__(self, total=None, every_s=1.0, stream=None):
        self._total = total
        self._every_s = every_s
        self._stream = stream if stream is not None else (sys.stderr if os.environ.get("STINT_JOB_ID") else None)
        self._step = 0
        self._values = {}
        self._told_at = None
        self._told_step = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if self._told_step != self._step:
            self._tell()
        return False

    def step(self, n=1, **values):
        """`n` more steps are done; `values` are metrics of the last one, such as loss."""
        self.at(self._step + n, **values)

    def at(self, step, **values):
        """`step` steps are done in all."""
        self._step = step
        self._values.update(values)
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= self._every_s:
            self._tell()
            self._told_at = now

    def _tell(self):
        if self._stream is None:
            return
        told = {"step": self._step}
        if self._total is not None:
            told["total"] = self._total
        told.update((name, float(value)) for name, value in self._values.items())
        # One write, so that lines of several processes do not mix.
        self._stream.write("STINT_PROGRESS=" + json.dumps(told) + "\n")
        self._stream.flush()
        self._told_step = self._step


def _refusal(error):
    text = error.read(65536).decode("utf-8", "replace")
    try:
        body = json.loads(text)
        return StintError(body.get("message") or text, error.code, body.get("code"), body.get("data"))
    except (ValueError, AttributeError):
        return StintError(text.strip() or "HTTP status %d" % error.code, error.code)


def _camel(name):
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
