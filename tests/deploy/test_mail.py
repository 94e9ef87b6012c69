"""The snippets for mail servers are those that docs/mail.md explains."""

import re

from tests.deploy import DEPLOY, ROOT


def test_the_page_shows_the_very_settings_of_the_mail_servers() -> None:
    page = (ROOT / "docs" / "mail.md").read_text()
    shown = re.findall(r"^```conf\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    files = ("postfix-master.cf", "postfix-main.cf", "exim.conf")
    assert shown == [(DEPLOY / "mail" / name).read_text() for name in files]
