//! A value as YAML, byte for byte as libyaml lays it out: block style, every string in quotes, one of several lines as `|`.

use crate::tree::Node;
use crate::tree::Value;

/// How far each level is indented.
const STEP: usize = 2;

/// A blank behind this column becomes the end of a line.
const WIDTH: usize = 80;

/// The longest key that stands before its `:` in one line.
const LONGEST_KEY: usize = 128;

/// A document.
pub(in crate::hcl::functions) fn write(node: &Node) -> String {
    let mut writer = Writer { text: String::new(), column: 0, is_blank: true, is_indented: true };
    writer.node(node, None, Within::Document);
    writer.indent(0);
    if !matches!(node.value, Value::Text(_) | Value::Array(_) | Value::Set(_) | Value::Object(_)) {
        writer.text.push_str("...\n");
    }
    writer.text
}

/// What a value stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Document,
    Sequence,
    Mapping,
    Key,
}

struct Writer {
    text: String,
    column: usize,
    /// Whether the last character is a blank, or the line's start.
    is_blank: bool,
    /// Whether the line has nothing but indentation and `-`, `?` or `:` so far.
    is_indented: bool,
}

impl Writer {
    fn put(&mut self, char: char) {
        self.text.push(char);
        self.column += 1;
    }

    fn end_line(&mut self) {
        self.text.push('\n');
        self.column = 0;
    }

    /// Goes to the column `indent`, in a new line where this one is past it.
    fn indent(&mut self, indent: usize) {
        if !self.is_indented || self.column > indent || (self.column == indent && !self.is_blank) {
            self.end_line();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.is_blank = true;
        self.is_indented = true;
    }

    /// A mark with a blank before it.
    fn mark(&mut self, mark: &str) {
        if !self.is_blank {
            self.put(' ');
        }
        self.close(mark);
    }

    /// A mark without a blank before it.
    fn close(&mut self, mark: &str) {
        mark.chars().for_each(|char| self.put(char));
        self.is_blank = false;
        self.is_indented = self.is_indented && matches!(mark, "-" | "?" | ":");
    }

    fn node(&mut self, node: &Node, indent: Option<usize>, within: Within) {
        match &node.value {
            Value::Array(elements) | Value::Set(elements) if elements.is_empty() => self.mark("[]"),
            Value::Object(members) if members.is_empty() => self.mark("{}"),
            Value::Array(elements) | Value::Set(elements) => self.sequence(elements, indent, within),
            Value::Object(_) => self.mapping(node, indent),
            Value::Text(text) => self.string(text, indent.map_or(STEP, |indent| indent + STEP), within),
            Value::Null => self.mark("null"),
            Value::Boolean(_) | Value::Number(_) => self.mark(&node.to_text().unwrap_or_default()),
        }
    }

    fn sequence(&mut self, elements: &[Node], indent: Option<usize>, within: Within) {
        // Behind its key, it is not indented.
        let step = if within == Within::Mapping && !self.is_indented { 0 } else { STEP };
        let indent = indent.map_or(0, |indent| indent + step);
        for element in elements {
            self.indent(indent);
            self.mark("-");
            self.node(element, Some(indent), Within::Sequence);
        }
    }

    fn mapping(&mut self, node: &Node, indent: Option<usize>) {
        let indent = indent.map_or(0, |indent| indent + STEP);
        for (key, value) in node.entries().unwrap_or_default() {
            self.indent(indent);
            if is_simple(&key) {
                self.node(&key, Some(indent), Within::Key);
                self.close(":");
                // Only a `:` at the start of a line counts as its indentation.
                self.is_indented = false;
            } else {
                self.mark("?");
                self.node(&key, Some(indent), Within::Mapping);
                self.indent(indent);
                self.mark(":");
            }
            self.node(&value, Some(indent), Within::Mapping);
        }
    }

    fn string(&mut self, text: &str, indent: usize, within: Within) {
        if text.contains('\n') && within != Within::Key && may_be_block(text) {
            self.literal(text, indent);
        } else {
            self.quoted(text, indent, within != Within::Key);
        }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.mark("|");
        if text.starts_with([' ', '\n']) {
            self.close(&STEP.to_string());
        }
        if !text.ends_with('\n') {
            self.close("-");
        } else if text == "\n" || text.ends_with("\n\n") {
            self.close("+");
        }
        self.end_line();
        self.is_blank = true;
        self.is_indented = true;
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches('\n');
            if !content.is_empty() {
                self.indent(indent);
                content.chars().for_each(|char| self.put(char));
                self.is_indented = false;
            }
            if line.ends_with('\n') {
                self.end_line();
                self.is_indented = true;
            }
        }
    }

    fn quoted(&mut self, text: &str, indent: usize, may_break: bool) {
        self.mark("\"");
        let mut chars = text.chars().enumerate().peekable();
        let mut was_blank = false;
        while let Some((index, char)) = chars.next() {
            let is_blank = char == ' ';
            let next = chars.peek().map(|(_, char)| *char);
            if is_blank && may_break && !was_blank && self.column > WIDTH && index > 0 && next.is_some() {
                self.indent(indent);
                if next == Some(' ') {
                    self.put('\\');
                }
            } else {
                escaped(char).chars().for_each(|char| self.put(char));
            }
            was_blank = is_blank;
        }
        self.close("\"");
    }
}

/// Whether a key stands before its `:` in one line.
fn is_simple(key: &Node) -> bool {
    key.to_text().is_some_and(|text| text.len() <= LONGEST_KEY && !text.contains(is_line_end))
}

fn is_line_end(char: char) -> bool {
    matches!(char, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a string can be written line by line, without escapes.
fn may_be_block(text: &str) -> bool {
    text.chars().all(is_printable) && !text.ends_with(' ') && !text.contains(" \n")
}

/// libyaml's old notion: neither tabs nor what lies beyond the basic plane.
fn is_printable(char: char) -> bool {
    matches!(char, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn escaped(char: char) -> String {
    let short = match char {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => char,
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        char if is_printable(char) => return char.to_string(),
        char => {
            let code = u32::from(char);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
