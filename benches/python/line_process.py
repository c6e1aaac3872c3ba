"""A process that answers one line of JSON to each line it is asked; one that dies or does not answer raises `Lost`."""

import json
import queue
import signal
import subprocess
import tempfile
import threading


class Lost(Exception):
    """The process is gone; the words say how."""


class Refused(Exception):
    """The process lives and says why it could not do what was asked."""


class LineProcess:
    """Asks in order. After `Lost` the next question starts a fresh process."""

    def __init__(self, command, environment=None):
        self.command = [str(word) for word in command]
        self.environment = environment
        self.process = None

    def ask(self, line, timeout=None):
        """The answer, a dictionary. `{"error": …}` raises Refused. Seconds without an answer kill the process."""
        if self.process is None:
            self._start()
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.answers.get(timeout=timeout)
        except queue.Empty:
            self.process.kill()
            self._end()
            raise Lost(f"no answer in {timeout:g} s") from None
        except OSError:
            answer = None
        if answer is None:
            raise Lost(self._death())
        try:
            answer = json.loads(answer)
        except ValueError:
            self.process.kill()
            self._end()
            raise Lost(f"answered {answer.strip()[:80]!r}") from None
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def _start(self):
        self.said = tempfile.TemporaryFile()
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            self.command, stdin=pipe, stdout=pipe, stderr=self.said, text=True, env=self.environment
        )
        self.answers = queue.Queue()
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout, self.answers), daemon=True)
        self.reader.start()

    @staticmethod
    def _read(stream, answers):
        for line in stream:
            answers.put(line)
        answers.put(None)

    def _death(self):
        """How it ended: its status, and the last line it said."""
        status = self.process.wait()
        self.said.seek(0)
        last = self.said.read().decode(errors="replace").strip().splitlines()[-1:]
        self._end()
        how = f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"
        return ": ".join([how, *last])

    def _end(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        self.process.wait()
        # It reads until the process has let go of the stream.
        self.reader.join()
        self.process.stdout.close()
        self.said.close()
        self.process = None

    def close(self):
        """Lets the process end by itself, or ends it."""
        if self.process is None:
            return
        try:
            self.process.stdin.close()
            self.process.wait(timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
        self._end()
