//! How similar two names are: of columns, members and fields, as people type them.

/// Returns whether two names are the same apart from letter case and spaces.
pub fn is_same_name(one: &str, other: &str) -> bool {
    let counts = |name: &str| -> String {
        name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
    };
    counts(one) == counts(other)
}

/// Returns the name that a typed one was probably meant to be.
pub fn nearest_of<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let typed = typed.to_lowercase();
    names
        .map(|name| (likeness(&typed, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= LIKELY)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

/// Returns how similar two names are, from 0 to 1. Names of more than 200 bytes are similar to none: comparing
/// takes time with the product of both lengths.
pub fn likeness(one: &str, other: &str) -> f64 {
    const LONGEST: usize = 200;
    if one.len().max(other.len()) > LONGEST {
        return 0.0;
    }
    strsim::normalized_damerau_levenshtein(one, other)
}

/// The similarity from which on one name is taken for a mistyped other.
pub const LIKELY: f64 = 0.6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_case_and_spaces_make_no_other_name() {
        for (one, other, same) in [
            ("Owner", "owner", true),
            (" Deal  Owner", "dealowner", true),
            ("Owner", "Owners", false),
            ("a-b", "ab", false),
        ] {
            assert_eq!(is_same_name(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_of_some_names_is_told_if_it_is_near() {
        let names = ["Customer", "Owner", "dealValue"];
        for (typed, wanted) in [
            ("Onwer", Some("Owner")),
            ("customers", Some("Customer")),
            ("Deal Valu", Some("dealValue")),
            ("Priority", None),
        ] {
            assert_eq!(nearest_of(typed, names.into_iter()), wanted, "{typed}");
        }
        assert_eq!(likeness(&"x".repeat(1_000), &"x".repeat(1_000)), 0.0);
    }
}
