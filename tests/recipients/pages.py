"""Our pages, read as a program reads them."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "input", "img", "hr"}


class Page(HTMLParser):
    """What a page is made of; fails on a tag that is not closed in order."""

    def __init__(self, text_: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: dict[str, list[dict[str, str | None]]] = {}
        self.words = ""
        self.feed(text_)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.setdefault(tag, []).append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @property
    def actions(self) -> list[str | None]:
        """What its forms can ask for, in order."""
        fields = [*self.attributes.get("button", []), *self.attributes.get("input", [])]
        return [field["value"] for field in fields if field.get("name") == "action"]

    @property
    def offer(self) -> str:
        """What it offers to its reader alone."""
        (field,) = (f for f in self.attributes["input"] if f.get("name") == "offer")
        assert field["value"]
        return field["value"]

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data
