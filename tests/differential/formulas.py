"""Which formulas are worth comparing? Every expression, over scores and payload values that may be missing."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.differential.filters import regular

_constants = st.floats(-3, 3, width=16)
_leaves: st.SearchStrategy[Any] = st.one_of(
    _constants,
    st.sampled_from(["$score", "$score[0]", "$score[1]", "$score[7]"]),
    st.sampled_from(["count", "rank", "items[0].price", "nowhere", "colour", "flag"]),
    regular,
    st.just({"geo_distance": {"origin": {"lon": 10.5, "lat": -33.0}, "to": "place"}}),
    st.just({"datetime_key": "made"}),
    st.just({"datetime": "2010-01-01T00:00:00Z"}),
)


def _named(name: str, parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return parts.map(lambda part: {name: part})


def _over(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    division = st.fixed_dictionaries({"left": inner, "right": inner}, optional={"by_zero_default": _constants})
    decay = st.fixed_dictionaries(
        {"x": inner},
        optional={"target": inner, "scale": st.sampled_from([2.5, 1.0]), "midpoint": st.sampled_from([0.25, 0.5])},
    )
    return st.one_of(
        *[_named(name, several) for name in ("mult", "sum", "max", "min")],
        *[_named(name, inner) for name in ("neg", "abs", "sqrt", "exp", "log10", "ln", "acosh")],
        *[_named(name, decay) for name in ("lin_decay", "exp_decay", "gauss_decay")],
        _named("div", division),
        _named("pow", st.fixed_dictionaries({"base": inner, "exponent": inner})),
    )


formulas: st.SearchStrategy[Any] = st.recursive(_leaves, _over, max_leaves=6)
DEFAULTS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just(
        {
            "count": 2,
            "rank": 0.5,
            "items[0].price": 1,
            "nowhere": -1.5,
            "place": {"lon": 1.0, "lat": 2.0},
            "made": "2020-02-03T04:05:06Z",
            "$score[1]": 0.25,
        }
    ),
    st.fixed_dictionaries({}, optional={"rank": st.just(1), "$score": st.just(-1), "nowhere": st.just("text")}),
)
