"""What runs beside each other on one box: the rendered configurations of supervisord and Redis."""

import configparser
import io
import shlex
import sys
from pathlib import Path
from string import Template

_HERE = Path(__file__).resolve().parent
_EVERY_PROGRAM = {
    "autorestart": "true",
    "startsecs": "2",
    "startretries": "1000",
    "stopsignal": "TERM",
    "stopasgroup": "false",
    "killasgroup": "true",  # the children of a prefork pool go with their parent
    "redirect_stderr": "true",
    "stdout_logfile_maxbytes": "10MB",
    "stdout_logfile_backups": "5",
}
#: sun_path of a unix socket is 108 bytes with the final NUL.
LONGEST_SOCKET_PATH = 107


class PathUnusable(Exception):
    """The state directory cannot hold what vwg keeps there; the text says why."""


def render(*, state: Path, gateway: str, private_redis: bool) -> configparser.RawConfigParser:
    """The supervisor's configuration. Every ``[program:NAME]`` has a ``command``.

    With ``private_redis`` False there is no program ``redis``. Raises PathUnusable.
    """
    check_paths(state)
    text = Template((_HERE / "supervisord.conf.in").read_text()).substitute(
        state=_quoted(state),
        bin=_quoted(Path(sys.prefix) / "bin"),
        root=_quoted(_HERE.parent),
        gateway=gateway,
    )
    config = configparser.RawConfigParser()
    config.read_string(text)
    if not private_redis:
        config.remove_section("program:redis")
    for section in config.sections():
        if section.startswith("program:"):
            name = section.partition(":")[2]
            settings = {"stdout_logfile": f"{_quoted(state)}/log/{name}.log", **_EVERY_PROGRAM}
            for option, value in settings.items():
                config.set(section, option, value)
    return config


def commands(config: configparser.RawConfigParser) -> dict[str, list[str]]:
    """Program name -> argv, as supervisord would start it."""
    return {
        section.partition(":")[2]: shlex.split(config.get(section, "command").replace("%%", "%"))
        for section in config.sections()
        if section.startswith("program:")
    }


def write(config: configparser.RawConfigParser, *, state: Path) -> Path:
    """Write both configurations and make the directories they name; the supervisor's path."""
    for directory in (state / "log", state / "redis"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    redis = Template((_HERE / "redis.conf.in").read_text())
    (state / "redis.conf").write_text(redis.substitute(state=state))
    text = io.StringIO()
    config.write(text, space_around_delimiters=False)
    path = state / "supervisord.conf"
    path.write_text(text.getvalue())
    return path


def check_paths(state: Path) -> None:
    """Raise PathUnusable where a path cannot be said in the configurations or is too long."""
    if len(bytes(state / "redis.sock")) > LONGEST_SOCKET_PATH:
        raise PathUnusable(
            f"VWG_STATE_DIR is too long for a unix socket ({LONGEST_SOCKET_PATH} bytes): {state}"
        )
    for path in (state, _HERE.parent):
        if any(character in str(path) for character in " \"';%$\\\n"):
            raise PathUnusable(f"this path has a blank, a quote or one of ; % $ in it: {path}")


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
