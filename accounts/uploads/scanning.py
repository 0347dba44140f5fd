"""Whether a file carries harmful software, as ClamAV says; where nobody can say, it stays held (FAULTS K10)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from clamav_client.clamd import ClamdError, ClamdNetworkSocket, ClamdUnixSocket
from django.conf import settings

# The test file of the European Institute for Computer Antivirus Research, in two parts: whole it would stop a scanner
# that reads this file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
TIMEOUT_SECONDS = 60


class ScannerUnavailable(Exception):  # noqa: N818
    """No scanner can say anything now: the file waits."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scanner says: `found` names what it found, and is empty for a clean file."""

    found: str = ""


class Scanner(Protocol):
    """What scans."""

    def scan(self, path: str) -> Verdict:
        """Scan a file. Raises ScannerUnavailable."""
        ...


class ClamAV:
    """The daemon at CLAMAV_ADDRESS. The file's bytes are sent to it, so that it may run on another machine."""

    def scan(self, path: str) -> Verdict:
        """Ask the daemon about a file."""
        try:
            with Path(path).open("rb") as file:
                answer = _daemon(settings.CLAMAV_ADDRESS).instream(file)
        except (ClamdError, OSError, ValueError) as error:
            raise ScannerUnavailable(type(error).__name__) from error
        status, found = answer.get("stream", ("", None))
        if status == "FOUND":
            return Verdict((found or "unnamed")[:100])
        if status == "OK":
            return Verdict()
        raise ScannerUnavailable("no answer that says anything")


def _daemon(address: str) -> ClamdNetworkSocket | ClamdUnixSocket:
    host, _colon, port = address.rpartition(":")
    if host and port.isdecimal():
        return ClamdNetworkSocket(host, int(port), TIMEOUT_SECONDS)
    return ClamdUnixSocket(address, TIMEOUT_SECONDS)


class StandIn:
    """For the demo and the tests: it knows the test file that every scanner knows, and nothing else."""

    def scan(self, path: str) -> Verdict:
        """Look for the test file's text."""
        return Verdict("Eicar-Signature") if EICAR in Path(path).read_bytes() else Verdict()


class Nobody:
    """Production without a scanner: nothing is released."""

    def scan(self, path: str) -> Verdict:
        """Say that nobody can say."""
        raise ScannerUnavailable("CLAMAV_ADDRESS is not set")


def scanner() -> Scanner:
    """The scanner of this installation."""
    if settings.CLAMAV_ADDRESS:
        return ClamAV()
    return Nobody() if settings.IS_PRODUCTION else StandIn()
