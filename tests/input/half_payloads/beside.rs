//! What stands beside half a payload.

use super::*;

/// Texts that are no payload. Two of them are JSON, and no object.
const TEXTS: [&str; 24] = [
    "<!DOCTYPE html>\n<html><body>504 Gateway Time-out</body></html>",
    "2026-11-29T10:00:00Z INFO sent 12 payloads",
    "ubuntu@host:~/archive$ ",
    "PS C:\\archive> ",
    "null",
    "5",
    "}",
    "]",
    "{",
    "[",
    "\"",
    ",",
    ":",
    "\0\0",
    "\u{feff}",
    "\u{a0}",
    "\u{fffd}\u{fffd}",
    "\"status\":\"Closed\",\"substatus\":\"Won\"}",
    ",\"details\":{\"dealValue\":1}}",
    ":\"Closed\"}",
    "# a comment of another language",
    "// he said \"no",
    "/* never closed",
    "NaN",
];

#[test]
fn nothing_is_taken_that_a_text_stands_beside() {
    let (a, b) = (referring(15), referring(18));
    for text in TEXTS {
        let is_value = ["null", "5"].contains(&text);
        // Behind, before and between objects one after the other nothing may stand.
        for file in [
            format!("{a}{text}"),
            format!("{a}\n{text}\n"),
            format!("{text}\n{a}"),
            format!("{a}\n{text}\n{b}"),
        ] {
            // A mark before all else is one of the byte order.
            let is_mark = text == "\u{feff}" && file.starts_with(text);
            assert_eq!(taken(Format::Json, &file), vec![15; usize::from(is_mark)], "{file:?}");
        }
        // Of an array, the payload before the one that it stands behind is told apart.
        let wanted: &[u32] = if text == "," { &[18, 15] } else { &[18] };
        assert_eq!(taken(Format::Json, &format!("[{b},{a}{text}]")), wanted, "{text:?}");
        let wanted: &[u32] = match text {
            _ if is_value => &[15, 18],
            "{" => &[15],
            _ => &[],
        };
        assert_eq!(taken(Format::Json, &format!("[{a},{text},{b}]")), wanted, "{text:?}");
        // Lines are judged line by line, and requests one by one.
        assert_eq!(taken(Format::Jsonl, &format!("{a}\n{b}{text}\n")), [15], "{text:?}");
        let put = |id: u32| format!("PUT https://x/referrals/5a1e0001-0000-4000-8000-0000000000{id}\n\n");
        let requests = format!("{}{a}\n###\n{}{b}\n{text}\n", put(15), put(18));
        assert_eq!(taken(Format::Http, &requests), [15], "{text:?}");
    }
}
