# SPDX-License-Identifier: MIT
"""What the tests of the command share: a network namespace of their own, running
commands with a limit in time, and counting checks."""
import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
RILL = os.environ.get("RILL", os.path.join(ROOT, "build", "rill"))
K4, K6, R4, R6 = "10.77.0.1", "fd77::1", "10.77.0.2", "fd77::2"
STACK = ["--dev", "tap:rill0", "--addr", R4 + "/24", "--addr", R6 + "/64",
         "--peer-addr", K4 + "/24", "--peer-addr", K6 + "/64", "--no-dad"]
passed = failed = skipped = 0
children = []


def check(label, ok, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {os.path.basename(sys.argv[0])}: {label}: {str(detail)[:600]}")
    return ok


def same(label, got, want):
    return check(label, got == want, f"got {got!r}, want {want!r}")


def clean_up():
    """Also after an exception: nothing that was started stays."""
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()
    shutil.rmtree(WORK, ignore_errors=True)


def finish():
    tail = f", {skipped} skipped" if skipped else ""
    print(f"{passed} passed, {failed} failed{tail}")
    sys.exit(1 if failed else 0)


def skip(why):
    global skipped
    skipped += 1
    print(f"SKIP {os.path.basename(sys.argv[0])}: {why}")
    finish()


def rill(*args, stdin=b"", timeout=30, env=None):
    """Run the command; (status, stdout, stderr) as text."""
    full = dict(os.environ, **(env or {}))
    try:
        p = subprocess.run([RILL, *args], input=stdin, capture_output=True,
                           timeout=timeout, env=full)
    except subprocess.TimeoutExpired:
        return 124, "", f"no end within {timeout} s"
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def start(*args, **kw):
    p = subprocess.Popen([RILL, *args], **kw)
    children.append(p)
    return p


def wait_until(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def serve(directory, *args, stack=None):
    """A running `rill serve`; its output is in WORK/serve.log."""
    log = open(os.path.join(WORK, "serve.log"), "w")
    p = start("serve", *(stack or STACK), *args, directory, stdout=log,
              stderr=subprocess.STDOUT)
    ready = wait_until(lambda: "serving" in serve_log() or p.poll() is not None)
    check("rill serve starts", ready and p.poll() is None, serve_log())
    return p


def serve_log():
    with open(os.path.join(WORK, "serve.log")) as f:
        return f.read()


def stop(p, label="SIGTERM ends it with 0"):
    p.terminate()
    try:
        same(label, p.wait(20), 0)
    except subprocess.TimeoutExpired:
        check(label, False, "still there after 20 s")
        p.kill()
        p.wait()


def enter():
    """Go on in namespaces of our own, or say why not."""
    if not os.environ.get("RILL_CLI_INSIDE"):
        env = dict(os.environ, RILL_CLI_INSIDE="1", RILL_CLI_WORK=WORK)
        for how in (["-nm"], ["-Urnm"]):
            if subprocess.run(["unshare", *how, "true"], capture_output=True).returncode == 0:
                os.execvpe("unshare", ["unshare", *how, sys.executable, *sys.argv], env)
        skip("neither root nor user namespaces")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def need_tun():
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as e:
        skip(f"/dev/net/tun: {e.strerror}")


atexit.register(clean_up)
WORK = os.environ.get("RILL_CLI_WORK") or tempfile.mkdtemp(prefix="rill-cli.")
os.environ["RILL_RUN_DIR"] = os.path.join(WORK, "run")
