"""A person at a real browser who decides about the store; each page on the way is examined."""

from dataclasses import dataclass, field

from tests.factories.browser import Tab


@dataclass(frozen=True, slots=True)
class Desk:
    """Whoever is logged in, and what axe and the window have complained about."""

    tab: Tab
    url: str
    password: str
    troubles: list[str] = field(default_factory=list)

    def log_in(self, name: str) -> None:
        """Take the seat of somebody; all of them have the same password."""
        self.tab.log_in(url=self.url, name=name, password=self.password)

    def go(self, address: str) -> None:
        """Open the page, and look at it."""
        self.tab.page.goto(self.url + address)
        self.look()

    def look(self) -> None:
        """Examine the page that is there, as it is."""
        self.troubles.extend(f"{self.tab.page.url}: {one}" for one in self.tab.troubles())

    def press(self, label: str) -> None:
        """The button, by keyboard, and look at what follows."""
        self.tab.tab_to(label)
        with self.tab.page.expect_navigation():
            self.tab.page.keyboard.press("Enter")
        self.look()

    def write(self, label: str, text: str) -> None:
        """Fill the field of this label."""
        self.tab.page.get_by_label(label, exact=True).fill(text)

    @property
    def address(self) -> str:
        """The page that is there."""
        return self.tab.page.url.removeprefix(self.url)
