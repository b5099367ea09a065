import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import down, supervision


def test_everything_vwg_needs_runs_and_is_restarted_when_it_dies(tmp_path: Path) -> None:
    config = supervision.render(state=tmp_path, gateway="local", private_redis=True)

    assert set(supervision.commands(config)) == {"redis", "web", "control", "gateway", "beat"}
    for name in supervision.commands(config):
        assert config.get(f"program:{name}", "autorestart") == "true"
        assert config.get(f"program:{name}", "killasgroup") == "true"


def test_workers_have_the_time_of_a_warm_end_and_down_waits_longer(tmp_path: Path) -> None:
    """vwg's programs stop together (one group), Redis after them."""
    config = supervision.render(state=tmp_path, gateway="local", private_redis=True)

    group = config.get("group:vwg", "programs").split(",")
    slowest = max(config.getint(f"program:{name}", "stopwaitsecs") for name in group)

    assert set(group) == set(supervision.commands(config)) - {"redis"}
    for worker in ("control", "gateway"):
        assert config.getint(f"program:{worker}", "stopwaitsecs") > 10
    assert slowest + config.getint("program:redis", "stopwaitsecs") < down.PATIENCE
    assert config.getint("program:redis", "priority") < config.getint("group:vwg", "priority")


def test_an_external_redis_means_none_of_our_own(tmp_path: Path) -> None:
    config = supervision.render(state=tmp_path, gateway="local", private_redis=False)

    assert "redis" not in supervision.commands(config)


def test_the_gateway_worker_eats_its_own_queue_alone(tmp_path: Path) -> None:
    config = supervision.render(state=tmp_path, gateway="fra-1", private_redis=True)
    command = supervision.commands(config)["gateway"]

    assert command[command.index("--queues") + 1] == "gateway.fra-1"
    assert "gateway.fra-1@%h" in command  # one % again after supervisord's own quoting


def test_redis_has_a_private_socket_and_no_port(tmp_path: Path) -> None:
    config = supervision.render(state=tmp_path, gateway="local", private_redis=True)
    supervision.write(config, state=tmp_path)
    lines = (tmp_path / "redis.conf").read_text().splitlines()

    assert "port 0" in lines
    assert "unixsocketperm 600" in lines
    assert "maxmemory-policy noeviction" in lines
    assert f'unixsocket "{tmp_path}/redis.sock"' in lines


@pytest.mark.parametrize("name", ["a b", "a'b", "a;b", "100%"])
def test_a_directory_that_would_break_a_configuration_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(supervision.PathUnusable, match="blank"):
        supervision.render(state=tmp_path / name, gateway="local", private_redis=True)


def test_a_directory_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(supervision.PathUnusable, match="too long"):
        supervision.render(state=tmp_path / ("x" * 100), gateway="local", private_redis=True)


def test_supervisord_accepts_the_configuration(tmp_path: Path) -> None:
    """Its own parser reads every section; a wrong option name would end it with status 2."""
    state = tmp_path / "s"
    state.mkdir()
    config = supervision.render(state=state, gateway="local", private_redis=True)
    path = supervision.write(config, state=state)
    check = (
        "import sys; from supervisor.options import ServerOptions as O; o = O();"
        "o.realize(['-n', '-c', sys.argv[1]]);"
        "print(sorted(p.name for g in o.process_group_configs for p in g.process_configs))"
    )
    python = shutil.which("python3", path=str(Path(sys.prefix) / "bin"))
    assert python

    done = subprocess.run([python, "-c", check, str(path)], capture_output=True, text=True)

    assert done.stdout == "['beat', 'control', 'gateway', 'redis', 'web']\n", done.stderr
