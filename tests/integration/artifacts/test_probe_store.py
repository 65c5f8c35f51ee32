"""Whether a bucket gets direct uploads …"""

import pytest

from artifacts.domain.capabilities import NEEDED_FOR_DIRECT
from artifacts.domain.transfer import UploadState
from artifacts.errors import DirectUploadsUnavailable
from artifacts.models import StoreProbe, Upload
from artifacts.usecases.probe_store import EVERY, probe_store, probe_store_when_due
from artifacts.usecases.start_upload import Target
from tests.factories.builds import NOW
from tests.factories.direct_uploads import PART_BYTES, Able, Desk


def test_needs_a_bucket_that_was_probed_and_does_what_is_needed(desk: Desk) -> None:
    refused = {}
    for name, target in {
        "directory": Target(None, "directory", 0, 3),
        "never probed": Target(desk.bucket, "elsewhere", PART_BYTES, 3),
    }.items():
        with pytest.raises(DirectUploadsUnavailable) as why:
            desk.start(target=target)
        refused[name] = why.value.facts
    for broken in sorted(NEEDED_FOR_DIRECT):
        probe_store(place="bucket", probe=Able(frozenset({broken})), now=NOW)
        with pytest.raises(DirectUploadsUnavailable) as why:
            desk.start()
        assert why.value.facts["missing"] == [broken]

    assert "directory" in str(refused["directory"]["reason"])
    assert refused["never probed"]["command"] == "manage.py probe_bucket"
    assert not Upload.objects.exists()
    probe_store(place="bucket", probe=Able(), now=NOW)
    assert desk.start().state == UploadState.OPEN
    assert StoreProbe.objects.get().probed_at == NOW


def test_is_tried_again_after_a_day(desk: Desk) -> None:
    assert desk.build.state == "open"  # and the fixture has probed at NOW
    worse = Able(frozenset({"list-parts"}))

    probe_store_when_due(place="bucket", probe=worse, now=NOW + EVERY / 2)
    early = StoreProbe.objects.get().missing_for_direct
    probe_store_when_due(place="bucket", probe=worse, now=NOW + EVERY * 2)
    probe_store_when_due(place="directory", probe=None, now=NOW)

    assert early == []
    assert StoreProbe.objects.get().missing_for_direct == ["list-parts"]
