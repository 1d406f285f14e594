"""What `make artefacts` made, as Lambda gets it: the zips' content, their hashes, and, unpacked into a folder, what tests/Benchmarks drives an event through.

What another kind of processor runs is run by an emulator: times and memory are the emulator's then.
"""
import hashlib
import pathlib
import platform
import shutil
import stat
import sys
import zipfile

ZIPS = pathlib.Path("artifacts/zips")
UNPACKED = pathlib.Path("artifacts/unpacked")
LIMIT_MB = {"ItemApi": 8, "ReplicationAudit": 8, "HealthCheck": 8}
HOST = {"HealthCheck.dll", "HealthCheck.runtimeconfig.json", "HealthCheck.deps.json", "topology.json", "HealthCheck"}


def unpack(archive, folder):
    """As an unpacker that heeds modes does; Python's own does not."""
    for entry in archive.infolist():
        path = folder / entry.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive.read(entry))
        path.chmod(entry.external_attr >> 16 & 0o777)


def emulate(folder, program, architecture):
    (folder / program).rename(folder / f"{program}.{architecture}")
    (folder / program).write_text(f'#!/bin/sh\nexec qemu-{architecture}-static "$0.{architecture}" "$@"\n')
    (folder / program).chmod(0o755)


def bring_runtime(folder, published):
    """Lambda has the managed function's runtime; here it is brought by what was published with it, with the .json that say so. The function's code stays the zip's."""
    for path in published.iterdir():
        ours = folder / path.name
        if not ours.exists() or ours.suffix == ".json":
            shutil.copy(path, ours)
        else:
            assert ours.read_bytes() == path.read_bytes(), f"{path.name} is another one in the zip"


runtime = sys.argv[1]
shutil.rmtree(UNPACKED, ignore_errors=True)
sums = dict(reversed(line.split()) for line in (ZIPS / "SHA256SUMS").read_text().splitlines())
assert set(sums) == {f"{function}-{runtime}.zip" for function in LIMIT_MB}, sums
for function, limit in LIMIT_MB.items():
    path = ZIPS / f"{function}-{runtime}.zip"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sums[path.name], path
    with zipfile.ZipFile(path) as archive:
        names = [entry.filename for entry in archive.infolist()]
        assert names == sorted(names) and {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}, names
        if function == "HealthCheck":
            assert HOST <= set(names) and all(name in HOST or name.endswith(".dll") for name in names), names
        else:
            assert names == ["bootstrap"] and archive.getinfo("bootstrap").external_attr >> 16 & stat.S_IXOTH, names
        unpack(archive, UNPACKED / function)
    assert path.stat().st_size < limit * 1e6, path.stat().st_size
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {len(names)} files, {sums[path.name][:16]}")
shutil.copytree("artifacts/deploy/BareLoop", UNPACKED / "BareLoop")

architecture = {"linux-arm64": "aarch64", "linux-x64": "x86_64"}[runtime]
if architecture != platform.machine():
    bring_runtime(UNPACKED / "HealthCheck", pathlib.Path("artifacts/with-runtime"))
    for folder in UNPACKED.iterdir():
        emulate(folder, "bootstrap" if (folder / "bootstrap").exists() else folder.name, architecture)
