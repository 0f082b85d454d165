//! Go's interpreted string literals.

/// The offset of the quote that closes the string at the start of `text`; `None` at a line's or the text's end.
pub(super) fn closing_quote(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    while let Some((offset, char)) = chars.next() {
        match char {
            '"' => return Some(offset),
            '\n' => return None,
            '\\' => drop(chars.next()),
            _ => {}
        }
    }
    None
}

/// The value of what stands between the quotes, or the offset of a bad escape and why it is bad.
pub(super) fn unquote(inside: &str) -> Result<String, (usize, String)> {
    let mut bytes = Vec::with_capacity(inside.len());
    let mut position = 0;
    while let Some(char) = inside[position..].chars().next() {
        if char != '\\' {
            bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            position += char.len_utf8();
            continue;
        }
        position += escape(&inside[position..], &mut bytes).map_err(|message| (position, message))?;
    }
    String::from_utf8(bytes).map_err(|_| (0, "this string is no UTF-8".to_owned()))
}

/// Appends the escape at the start of `text`; says how long it is.
fn escape(text: &str, bytes: &mut Vec<u8>) -> Result<usize, String> {
    let letter = text[1..].chars().next().ok_or("nothing follows the backslash")?;
    let simple = match letter {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' | '"' => letter as u8,
        'x' | 'u' | 'U' | '0'..='7' => return numeric(text, letter, bytes),
        other => return Err(format!("`\\{other}` is no escape of Go's")),
    };
    bytes.push(simple);
    Ok(2)
}

fn numeric(text: &str, letter: char, bytes: &mut Vec<u8>) -> Result<usize, String> {
    let (start, digits, radix) = match letter {
        'x' => (2, 2, 16),
        'u' => (2, 4, 16),
        'U' => (2, 8, 16),
        _ => (1, 3, 8),
    };
    let bad = || format!("`\\{letter}` needs {digits} digits of a valid character");
    let number = text.get(start..start + digits).filter(|digits| !digits.starts_with('+')).ok_or_else(bad)?;
    let code = u32::from_str_radix(number, radix).map_err(|_| bad())?;
    if matches!(letter, 'u' | 'U') {
        let char = char::from_u32(code).ok_or_else(bad)?;
        bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        bytes.push(u8::try_from(code).map_err(|_| bad())?);
    }
    Ok(start + digits)
}
