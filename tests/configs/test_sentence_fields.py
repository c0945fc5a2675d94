import pytest

from configs.sentence_fields import fields_of


@pytest.mark.parametrize(
    "form", ["", "0", "3", "%", "day", "loyalty point", "-", "-1", "-day", "روز", "दिवस"]
)
def test_forms_that_a_number_can_have(form):
    assert fields_of(f"for {{gap:{form}}}")[0] == ("for ", "gap", form)


@pytest.mark.parametrize("form", [".0f", "4", "12", "d1", "+", "--1", "%%", " day"])
def test_other_forms_are_refused(form):
    with pytest.raises(ValueError, match="expected 0 to 3 digits, as in"):
        fields_of(f"for {{gap:{form}}}")


@pytest.mark.parametrize("field", ["{}", "{gap[0]}", "{gap.days}", "{gap!r}", "{0}"])
def test_only_a_column_stands_in_braces(field):
    with pytest.raises(ValueError, match="expected the name of a column"):
        fields_of(field)
