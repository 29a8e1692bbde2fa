"""Logs as one JSON object a line on standard error, with the request id, because in production a machine reads them first."""

import logging
import sys
import time
from typing import Any, TextIO

import orjson

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON; what is given as ``extra`` becomes members.

    >>> record = logging.makeLogRecord({"msg": "refused %s", "args": ("x",), "levelname": "INFO", "name": "g", "request_id": "7"})
    >>> orjson.loads(JsonFormatter().format(record))["request_id"]
    '7'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        members: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        members.update({name: value for name, value in vars(record).items() if name not in _OWN})
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(members, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Send this process's logs to a stream as JSON lines.

    Args:
        level: "debug", "info", "warning" or "error".
        stream: Where to; standard error when not given.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    logging.getLogger("alembic").setLevel(logging.WARNING)
