"""A build of more files than one answer holds, as the client sees it."""

from client.build import find_build
from client.credentials import ApiToken
from client.http import Store
from client.listing import listed_files
from client.lookup import of_build
from client.origin import Origin
from tests.journeys.conftest import Shop
from tests.journeys.consumer import publish, trust_its_publisher


def test_lists_every_file_of_a_large_build(shop: Shop) -> None:
    files = {f"part/{number:04}": b"%d" % number for number in range(501)}
    trust_its_publisher(shop)
    build = publish(shop, files)
    store = Store(Origin.parse(shop.web.url), ApiToken(shop.tokens.reader))

    document = store.get(store.address("api", "v1", "builds", str(build.pk))).document
    listed = listed_files(store, str(build.pk), document)

    assert len(document["artifacts"]) < len(files)
    assert [one["path"] for one in listed] == sorted(files)
    assert set(find_build(store, str(build.pk)).files) == set(files)
    assert len(of_build(store, str(shop.project), build.pk)) == len(files)
