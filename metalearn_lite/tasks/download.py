"""Download one file so that it is either there, whole and verified, or not there at all."""

import contextlib
import hashlib
import os
import time
from pathlib import Path

from metalearn_lite.files import temporary_file

CHUNK = 1 << 16
ATTEMPTS = 3


class DownloadError(OSError):
    """A file could not be downloaded; the message says why and what to do."""


class _Transient(Exception):
    """A fault that may be gone at the next attempt."""


class _WrongChecksum(_Transient):
    """The whole file came, and it was another one: a second time will not be chance."""


def file_checksum(path: Path, algorithm: str) -> str:
    """The checksum of a file in hexadecimal, by "sha256" or "md5"."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def download(
    url: str,
    target: Path,
    algorithm: str,
    checksum: str,
    *,
    timeout: float = 5.0,
    total_timeout: float = 120.0,
    pause: float = 0.5,
) -> Path:
    """Download `url` to `target`, which appears only when it is complete and verified.

    The bytes go to a temporary file beside `target`, removed whatever happens, and renamed at the
    end: several processes may download the same file at once. Timeouts, broken connections, server
    errors and truncated files are tried 3 times in all, a wrong checksum twice.

    Args:
        algorithm, checksum: "sha256" or "md5", and the hexadecimal digest expected.
        timeout: seconds to wait for the connection and for each next piece.
        total_timeout: seconds one attempt may take in all; after that there is no other.
        pause: seconds before the second attempt, doubled for the third.

    Raises:
        DownloadError: with the reason and what to do about it.
    """
    target = Path(target)
    advice = f"Check the connection, or put the file into {target.parent} yourself."
    wrong = 0
    for attempt in range(ATTEMPTS):
        try:
            with _temporary_file(target) as temporary:
                _fetch(url, temporary, target.name, timeout, total_timeout)
                found = file_checksum(temporary, algorithm)
                if found != checksum:
                    raise _WrongChecksum(
                        f"its {algorithm} checksum is {found}, expected {checksum}"
                    )
                _rename(temporary, target, algorithm, checksum)
            return target
        except _Transient as fault:
            wrong += isinstance(fault, _WrongChecksum)
            if attempt == ATTEMPTS - 1 or wrong == 2:
                raise DownloadError(f"Could not download {url}: {fault}. {advice}") from fault
        time.sleep(pause * 2**attempt)
    raise AssertionError("unreachable")


@contextlib.contextmanager
def _temporary_file(target: Path):
    """A path beside `target` that no other process has, gone when the block ends."""
    with contextlib.ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = stack.enter_context(temporary_file(target))
        except OSError as fault:
            raise DownloadError(
                f"Cannot write into {target.parent} ({fault.strerror or fault}); set "
                "METALEARN_LITE_DATA to a folder you can write to."
            ) from fault
        yield temporary


def _fetch(url: str, path: Path, label: str, timeout: float, total_timeout: float) -> None:
    """One attempt. Raises _Transient where another may help, DownloadError where none will."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    from tqdm import tqdm

    deadline = time.monotonic() + total_timeout
    try:
        with urlopen(url, timeout=timeout) as response, open(path, "wb") as file:
            length = response.headers.get("Content-Length")
            size, received = int(length) if length and length.isdigit() else None, 0
            with tqdm(total=size, unit="B", unit_scale=True, desc=label, leave=False) as bar:
                # read1 returns what has come; read would wait on a server that only drips.
                while chunk := response.read1(CHUNK):
                    _write(file, chunk, path)
                    received += len(chunk)
                    bar.update(len(chunk))
                    if time.monotonic() > deadline:
                        # No second attempt: a reader would wait as long again.
                        raise DownloadError(
                            f"Could not download {url}: it was not complete after "
                            f"{total_timeout:g} s. Put the file into {path.parent} yourself."
                        )
                if size is not None and received < size:
                    raise _Transient(f"it broke off after {received:,} of {size:,} bytes")
    except HTTPError as fault:
        reason = f"the server answered {fault.code} {fault.reason}"
        if fault.code >= 500 or fault.code in (408, 429):
            raise _Transient(reason) from fault
        raise DownloadError(
            f"Could not download {url}: {reason}. The address may have moved; put the file into "
            f"{path.parent} yourself."
        ) from fault
    except TimeoutError as fault:
        raise _Transient(f"the server sent nothing for {timeout:g} s") from fault
    except (URLError, HTTPException, ConnectionError) as fault:
        raise _Transient(f"no connection ({getattr(fault, 'reason', None) or fault})") from fault
    except DownloadError:
        raise
    except OSError as fault:  # no route, a broken cipher, a disk that is full when the file closes
        raise _Transient(f"it broke off ({fault.strerror or fault})") from fault


def _rename(temporary: Path, target: Path, algorithm: str, checksum: str) -> None:
    try:
        os.replace(temporary, target)
    except OSError as fault:  # on Windows, while another process reads what it has just downloaded
        if not (target.is_file() and file_checksum(target, algorithm) == checksum):
            raise DownloadError(f"Cannot write {target}: {fault.strerror or fault}.") from fault


def _write(file, chunk: bytes, path: Path) -> None:
    try:
        file.write(chunk)
    except OSError as fault:
        raise DownloadError(f"Cannot write into {path.parent}: {fault.strerror}.") from fault
