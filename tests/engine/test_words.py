"""The text model: what a reply becomes before it is weighed, and that fitting and storing keep what was learnt."""

import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whybounce.fitting import ridge
from whybounce.tokens import MAX_TOKENS, features_of, tokens_of, units_of
from whybounce.words import Lesson, TextModel, fit

LABELLED = [
    ("550 5.1.1 <anna@example.net>: user unknown", "unknown"),
    ("550 no such user here", "unknown"),
    ("550 recipient not found", "unknown"),
    ("452 4.2.2 mailbox is full", "full"),
    ("552 mailbox over quota", "full"),
    ("552 the quota of this mailbox is exceeded", "full"),
    ("554 192.0.2.1 is listed at dnsbl.example.org", "listed"),
    ("554 your host is blocked, see https://example.org/why", "listed"),
]
MODEL = fit(LABELLED)


def best(model: TextModel, text: str) -> str:
    return model.causes[int(model.read(text).log_probability.argmax())]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("<anna@example.net>:", ["@addr"]),
        ("192.0.2.1", ["@ip"]),
        ("[2001:db8::1]", ["@ip"]),
        ("IPv6:2001:db8::1", ["@ip"]),
        ("mx1.example.net", ["@host"]),
        ("https://support.example.net", ["@url"]),
        ("www.example.net", ["@url"]),
        ("4815162342", ["@num"]),
        ("id=a1b2c3", ["id", "a1b2c3"]),
        ("q12345678", ["@num"]),
        ("550", ["550"]),
        ("550-5.1.1", ["550", "5.1.1"]),
        ("550-550-5.1.1", ["550", "550", "5.1.1"]),
        ("User UNKNOWN!", ["user", "unknown"]),
        ("don't", ["don't"]),
        ("größe überschritten", ["größe", "überschritten"]),
        ("", []),
        ("... --- \t\n", []),
    ],
)
def test_it_keeps_codes_and_masks_what_differs_from_case_to_case(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


def test_the_host_of_an_address_on_the_web_is_masked_and_its_path_is_read() -> None:
    assert tokens_of("see https://support.example.net/mail/?p=NoSuchUser now") == ["see", "@url", "mail", "p", "nosuchuser", "now"]


def test_two_replies_that_differ_in_names_alone_read_the_same() -> None:
    one = "550 5.1.1 <anna@example.net>: user unknown (host mx1.example.net[192.0.2.1], id 1234567)"
    other = "550 5.1.1 <bert@example.org>: user unknown (host in.example.org[2001:db8::7], id 7654321)"
    assert tokens_of(one) == tokens_of(other)


def test_pairs_of_neighbours_and_of_next_but_one_are_units_of_their_own() -> None:
    assert units_of(["mailbox", "is", "full", "is"]) == ["mailbox", "is", "full", "mailbox is", "is full", "full is", "mailbox _ full", "is _ is"]


def test_a_name_in_a_program_is_read_and_not_taken_for_a_host() -> None:
    assert tokens_of("RESOLVER.ADR.RecipNotFound; not found") == ["resolver", "adr", "recipnotfound", "not", "found"]


def test_an_enhanced_code_also_speaks_without_its_class() -> None:
    assert {"x.2.2", "x.2"} <= {name for name, _weight in features_of("4.2.2")} & {name for name, _weight in features_of("5.2.2")}
    assert [name for name, _weight in features_of("550")] == ["550"]


@given(st.text())
def test_any_text_gives_tokens_of_bounded_number_and_length(text: str) -> None:
    tokens = tokens_of(text)
    assert len(tokens) <= MAX_TOKENS
    assert all(token and len(token) <= 30 and not token.isspace() for token in tokens)


PIECE = st.sampled_from(
    ["550-", "a@b ", "://", "/", "192.0.2.1", "::", "-", "…", "@", " ", "x" * 50, "会議", "١٢٣٤", "\u202e", "İ", "=?utf-8?q?", "5.1.1", "%", "²"]
)


@given(st.lists(PIECE, max_size=300).map("".join))
def test_pieces_of_replies_in_any_order_give_tokens(text: str) -> None:
    tokens = tokens_of(text)
    assert len(tokens) <= MAX_TOKENS
    reading = MODEL.read(text)
    assert np.exp(reading.log_probability).sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("piece", ["550-", "x", "x ", "a.", "a@", "/", "(", "会", "1", "550 5.1.1 ", "://", "-", "'", "\u0130"])
def test_the_time_does_not_grow_with_the_text(piece: str) -> None:
    tokens_of(piece * 100)
    began = time.perf_counter()
    tokens_of(piece * 1_000_000)
    assert time.perf_counter() - began < 0.5


def test_a_word_without_end_becomes_pieces() -> None:
    assert tokens_of("a" * 5000) == ["a" * 24] * 4


def test_it_understands_words_that_it_never_saw_together() -> None:
    assert best(MODEL, "550 that user is not known here: no such recipient") == "unknown"
    assert best(MODEL, "your mailbox quota is full") == "full"
    assert best(MODEL, "host blocked because it is listed") == "listed"


def test_it_understands_inflections_that_it_never_saw() -> None:
    assert best(MODEL, "mailboxes overquota") == "full"


JAPANESE = [
    ("宛先のメールアドレスは存在しません", "unknown"),
    ("ご指定のアドレスが見つかりません", "unknown"),
    ("受信者のメールボックスの容量が一杯です", "full"),
    ("メールボックスの容量を超えています", "full"),
    ("收件人地址不存在", "unknown"),
    ("对方邮箱已满", "full"),
]


@pytest.mark.parametrize(
    ("text", "cause"), [("そのアドレスは存在しないため", "unknown"), ("容量が超過しました", "full"), ("该邮箱地址不存在", "unknown")]
)
def test_words_that_are_written_without_spaces_are_told_by_their_characters(text: str, cause: str) -> None:
    model = fit(LABELLED + JAPANESE)
    assert model.read(text).known
    assert best(model, text) == cause


def test_it_is_right_for_what_it_was_fitted_on() -> None:
    assert [best(MODEL, text) for text, _cause in LABELLED] == [cause for _text, cause in LABELLED]


def test_causes_of_one_category_speak_together() -> None:
    """Two causes of a category share the words "no" and "account"; alone each would have fewer texts than the other category."""
    lessons = [
        Lesson("no such account: closed", "closed", "gone"),
        Lesson("no such account: moved", "moved", "gone"),
        Lesson("no room in the account", "full", "full"),
        Lesson("account has no room", "full", "full"),
    ]

    def of_gone(model: TextModel) -> float:
        p = np.exp(model.read("no such account").log_probability)
        return float(p[model.causes.index("closed")] + p[model.causes.index("moved")])

    assert of_gone(fit(lessons)) > of_gone(fit([(lesson.text, lesson.cause) for lesson in lessons])) > 0.5


def test_one_word_says_less_than_it_does_among_others_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def sure() -> float:
        return float(np.exp(MODEL.read("quota").log_probability.max()))

    kept = sure()
    monkeypatch.setattr("whybounce.words._LEAST_LENGTH", 0.0)  # its direction alone
    assert kept < sure()


def test_a_model_of_another_version_is_refused() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, names=np.frombuffer(b'[["a", "b"], ["word"]]', np.uint8))
    with pytest.raises(ValueError, match="Publish the knowledge again"):
        TextModel.from_bytes(buffer.getvalue())


def test_memory_that_is_full_is_given_up_and_nothing_is_read_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whybounce.words._MOST_UNITS", 12)
    small = TextModel.from_bytes(MODEL.to_bytes())
    for text, _cause in LABELLED * 2:
        assert np.allclose(small.read(text[:24]).log_probability, MODEL.read(text[:24]).log_probability, atol=1e-5)


def test_a_reply_of_more_words_than_the_memory_holds_is_read() -> None:
    words = [f"w{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(150)]
    assert MODEL.read(" ".join([*words, "quota"])).known == 1


def test_fitting_solves_the_ridge_regression() -> None:
    """Against the closed form: (X'SX + regularisation) W = X'S(Y - bias), S the shares."""
    names = ["a", "b", "c"]
    texts = [[("a", 1.0)], [("a", 1.0), ("b", 2.0)], [("b", 1.0), ("c", 1.0)], [("c", 1.0)]]
    idf, labels, shares = np.array([1.0, 2.0, 1.5], np.float32), np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 0.5, 0.5])
    weights, bias = ridge(texts, names, idf, labels, shares, least_length=1.0)
    rows = np.array([[weight * idf[i] if (weight := dict(text).get(name)) else 0.0 for i, name in enumerate(names)] for text in texts])
    rows /= np.sqrt(1.0 + (rows**2).sum(axis=1, keepdims=True))
    targets = np.eye(2)[labels]
    mean = np.average(targets, axis=0, weights=shares)
    exact = np.linalg.solve(rows.T * shares @ rows + 0.8 * np.eye(3), rows.T * shares @ (targets - mean))
    assert np.allclose(bias, mean)
    assert np.allclose(weights, exact, atol=2e-3)


def test_a_text_without_a_known_word_knows_nothing() -> None:
    reading = MODEL.read("zzzz")
    assert reading.known == 0
    assert MODEL.read("mailbox full").known >= 2


def test_it_says_which_words_spoke_for_a_cause() -> None:
    reading = MODEL.read("552 your mailbox is over quota")
    why = dict(MODEL.why(reading, "full"))
    assert why["mailbox"] > 0
    assert why["quota"] > 0
    assert dict(MODEL.why(reading, "unknown"))["mailbox"] < 0
    assert MODEL.why(reading, "no such cause") == []


def test_the_same_examples_in_any_order_give_the_same_model() -> None:
    again = fit([*reversed(LABELLED), *LABELLED])
    assert again.to_bytes() == MODEL.to_bytes()


def test_a_stored_model_reads_as_the_fitted_one() -> None:
    stored = TextModel.from_bytes(MODEL.to_bytes())
    assert stored.causes == MODEL.causes
    for text, _cause in [*LABELLED, ("something else entirely", ""), ("", "")]:
        assert np.allclose(stored.read(text).log_probability, MODEL.read(text).log_probability, atol=0.01)
        assert stored.read(text).known == MODEL.read(text).known


def test_storing_a_stored_model_changes_nothing() -> None:
    data = MODEL.to_bytes()
    assert TextModel.from_bytes(data).to_bytes() == data


@pytest.mark.parametrize("labelled", [[], [("550 user unknown", "unknown")]])
def test_without_two_causes_there_is_nothing_to_tell_apart(labelled: list[tuple[str, str]]) -> None:
    model = fit(labelled)
    assert model.causes == ()
    assert model.read("550 user unknown").known == 0
    assert TextModel.from_bytes(model.to_bytes()).causes == ()


def test_two_causes_are_told_apart() -> None:
    model = fit(LABELLED[:6])
    assert [best(model, text) for text, _cause in LABELLED[:6]] == [cause for _text, cause in LABELLED[:6]]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("zen.spamhaus.org", ["@host:spamhaus.org"]),
        ("mx.mail.example.co.uk", ["@host"]),
        ("mail.provider.co.uk", ["@host:provider.co.uk"]),
        ("https://check.spamhaus.org/query", ["@url:spamhaus.org", "query"]),
        ("mx.example.org", ["@host"]),
        ("server.lan", ["@host"]),
    ],
)
def test_a_host_is_named_by_its_domain_where_that_may_tell_something(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


def test_a_domain_that_the_texts_often_name_counts_and_any_other_is_any_host() -> None:
    lessons = [
        (f"blocked using {list_}.{domain}", cause) for domain, cause in (("spamhaus.org", "one"), ("sorbs.net", "two")) for list_ in ("a", "b", "c")
    ]
    model = fit(lessons)
    assert best(model, "refused, see zen.spamhaus.org") == "one"
    assert best(model, "refused, see dul.sorbs.net") == "two"
    assert model.tokens("see zen.spamhaus.org") == ("see", "@host:spamhaus.org")
    assert model.tokens("see mail.unknown-name.org") == ("see", "@host")
    assert ("@host:spamhaus.org", 0) in [(word, 0) for word, _nats in model.why(model.read("see zen.spamhaus.org"), "one")]
