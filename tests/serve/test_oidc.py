"""Log-in by a provider of OpenID Connect: a real one on this machine, through real requests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread

from escudo.core.errors import EscudoError
from escudo.schedule.database import FILE, State
from escudo.serve.accounts.oidc import OidcSettings, OidcUsers, read_oidc
from escudo.serve.accounts.users import Users
from escudo.serve.configuration import Configuration
from tests.serve.conftest import make_users
from tests.serve.running import RunningServer, run_server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SECRET = "the secret of the client"
PEOPLE = (
    User(sub="1", claims={"preferred_username": "sol", "name": "Sol", "groups": ["soc", "all"]}),
    User(sub="2", claims={"preferred_username": "lea", "groups": ["leads", "soc"]}),
    User(sub="3", claims={"preferred_username": "eve", "groups": ["all"]}),
    User(sub="4", claims={"preferred_username": "admin", "groups": ["leads"]}),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a provider beside it."""
    folder = tmp_path_factory.mktemp("oidc")
    with run_server_in_thread(user_claims=PEOPLE, require_nonce=True) as provider:
        (folder / "secret").write_text(f"{SECRET}\n")
        (folder / "oidc.toml").write_text(
            f'issuer = "http://localhost:{provider.server_port}"\n'
            'client_id = "escudo"\nclient_secret_file = "secret"\nname = "Example & Co"\n'
            '[roles]\nsoc = "analyst"\nleads = "admin"\n'
        )
        options = ["--no-schedule", "--oidc", str(folder / "oidc.toml")]
        with run_server(folder / "lake", options) as running:
            make_users(folder / "lake")
            yield running


@contextmanager
def open_browser(server: RunningServer) -> Iterator[httpx.Client]:
    url = server.url.replace("127.0.0.1", "localhost")  # where the provider lets it come back to
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


def log_in(client: httpx.Client, subject: str, path: str = "/oidc/login") -> httpx.Response:
    """Goes to the provider, says who one is there, and comes back."""
    begun = client.get(path)
    assert begun.status_code == 302, begun.text
    with httpx.Client() as elsewhere:
        back = elsewhere.post(begun.headers["location"], data={"sub": subject})
    return client.get(back.headers["location"])


@pytest.mark.slow
def test_one_of_a_group_is_let_in_as_its_role(served: RunningServer) -> None:
    with open_browser(served) as client:
        answer = log_in(client, "1", "/oidc/login?next=/findings")
        assert (answer.status_code, answer.headers["location"]) == (303, "/findings")
        me = client.get("/api/me").json()
        assert (me["name"], me["roles"]) == ("sol", ["analyst"])
        assert log_in(client, "1").status_code == 303
    with open_browser(served) as client:
        log_in(client, "2")
        assert client.get("/api/me").json()["roles"] == ["analyst", "admin"]
    with served.client() as admin:
        user = admin.get("/api/users/sol").json()
        assert (user["provider"], user["full_name"]) == ("oidc", "Sol")
        changed = admin.patch("/api/users/sol", json={"password": "a sentence for tests"})
        assert changed.json()["messages"][0]["code"] == "SRV096"
        rows = admin.get("/api/audit", params={"who": "sol", "action": "login"}).json()
        assert rows[0]["detail"] == {"kind": "web", "by": "oidc"}


@pytest.mark.slow
def test_what_is_sent_has_a_state_a_nonce_and_a_challenge(served: RunningServer) -> None:
    with open_browser(served) as client:
        asked = parse_qs(urlsplit(client.get("/oidc/login").headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    for key in ("state", "nonce", "code_challenge"):
        assert len(asked[key][0]) >= 20
    assert SECRET not in str(asked)


@pytest.mark.slow
def test_who_has_no_role_or_anothers_name_is_refused(served: RunningServer) -> None:
    for subject, told in (("3", "in no group"), ("4", "there is a user")):
        with open_browser(served) as client:
            answer = log_in(client, subject)
            assert answer.status_code == 400
            assert told in answer.text
            assert client.get("/api/me").status_code == 401


@pytest.mark.slow
def test_an_answer_that_nobody_asked_for_is_refused(served: RunningServer) -> None:
    """Log-in CSRF: a code of the attacker's, brought by the victim's browser."""
    with open_browser(served) as attacker, open_browser(served) as victim:
        begun = attacker.get("/oidc/login")
        back = httpx.post(begun.headers["location"], data={"sub": "1"}).headers["location"]
        assert victim.get(back).status_code == 400
        victim.get("/oidc/login")
        answer = victim.get(back)
        assert (answer.status_code, "SRV093" in answer.text) == (400, True)
        assert victim.get("/api/me").status_code == 401
        assert attacker.get(back).status_code == 303
        assert attacker.get(back).status_code == 400
        wrong = attacker.get("/oidc/callback?error=access_denied&error_description=<script>")
        assert "<script>" not in wrong.text


@pytest.mark.slow
def test_a_user_who_is_disabled_here_is_not_let_in(served: RunningServer) -> None:
    with open_browser(served) as client, served.client() as admin:
        log_in(client, "2")
        admin.patch("/api/users/lea", json={"disabled": True})
        assert client.get("/api/me").status_code == 401
        assert "disabled" in log_in(client, "2").text
        assert client.get("/api/me").status_code == 401


@pytest.mark.slow
def test_the_page_names_the_provider_and_no_secret_is_told(served: RunningServer) -> None:
    page = httpx.get(f"{served.url}/login", params={"next": '/x"y'}).text
    assert "Log in by Example &amp; Co" in page
    assert re.search(r'href="/oidc/login\?next=[^"<>]*"', page)
    assert SECRET not in page + "".join(served.told)
    assert [line for line in served.told if "Warning" in line] == []


def test_a_subject_stays_the_user_that_it_was_first(tmp_path: Path) -> None:
    """Names at a provider are given away again, and some may choose theirs; subjects stay."""
    settings = OidcSettings(
        issuer="https://a.example", client_id="c", client_secret="s", roles={"soc": "analyst"}
    )
    with State.open(tmp_path / FILE) as state:
        users = Users(state, clock=lambda: 0.0)
        oidc = OidcUsers(settings, users, Configuration(state, clock=lambda: 0.0))
        claims = {"sub": "1", "preferred_username": "sol", "groups": ["soc"]}
        assert oidc.admit(claims).name == "sol"
        assert oidc.admit({**claims, "preferred_username": "lea"}).name == "sol"
        with pytest.raises(EscudoError, match="SRV093"):
            oidc.admit({**claims, "sub": "2"})
        with pytest.raises(EscudoError, match="no group"):
            oidc.admit({**claims, "groups": ["staff"]})
        users.remove("sol")
        assert oidc.admit(claims).name == "sol"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('issuer = "http://a.example"\nclient_id = "a"', "https"),
        ('client_id = "a"', "issuer is missing"),
        ('issuer = "https://a.example"\nclient_id = "a"', "client_secret_file"),
        ('issuer = "https://a.example"\nsecret = "a"', "'secret' is none of"),
        ("[roles]\nsoc = 'god'", "roles cannot be"),
        ('scopes = ["email"]', "scopes cannot be"),
        ('default_role = "god"', "default_role"),
        ("issuer", "oidc.toml"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "oidc.toml"
    path.write_text(text)
    with pytest.raises(EscudoError, match=told) as caught:
        read_oidc(path, {})
    assert caught.value.code == "SRV092"


def test_the_secret_is_from_the_environment_or_a_file_and_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "oidc.toml"
    path.write_text('issuer = "https://a.example"\nclient_id = "a"\nclient_secret_file = "s"')
    (tmp_path / "s").write_text("from a file\n")
    assert read_oidc(path, {}).client_secret == "from a file"
    settings = read_oidc(path, {"ESCUDO_OIDC_SECRET": SECRET})
    assert settings.client_secret == SECRET
    assert SECRET not in repr(settings)
    assert os.environ.get("ESCUDO_OIDC_SECRET") is None
