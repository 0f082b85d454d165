//! `format`, as Packer's console has it.

use super::expressions::worked;
use super::*;

fn formatted(arguments: &str) -> String {
    serde_json::from_str(&worked(&format!("format({arguments})"))).expect("a string")
}

#[test]
fn verbs_show_what_go_shows() {
    for (arguments, text) in [
        (r#""%[2]s-%[1]s|%[2]s-%s", "a", "b", "c""#, "b-a|b-c"),
        (r#""%b|%o|%x|%X|%d", 5, 9, 255, 255, -7"#, "101|11|ff|FF|-7"),
        (
            r#""%e|%E|%g|%G|%f", 12345.678, 0.00012, 1234567, 0.0000012, 3.5"#,
            "1.234568e+04|1.200000E-04|1.234567e+06|1.2E-06|3.500000",
        ),
        (r#""%.2e|%.3g|%g|%g", 1234.5, 1234.5, 100000000000000000000000, 0.1"#, "1.23e+03|1.23e+03|1e+23|0.1"),
        (r#""% d|% d|%+d|%+.1f|% f", 5, -5, 5, 2.25, 1"#, " 5|-5|+5|+2.2| 1.000000"),
        (
            r#""%08.3f|%-8d|%8d|%08d|%+08d|%-08d|", 3.14159, 5, 5, -5, 5, 5"#,
            "0003.142|5       |       5|-0000005|+0000005|5       |",
        ),
        (r#""%#x|%#o|%#b|% x|%x", 255, 8, 5, 255, -255"#, "0xff|010|0b101| ff|-ff"),
        (
            r##""%v|%v|%v|%v|%#v|%5v|%-5v|", 1.5, true, null, { a = [1] }, "x", "a", "b""##,
            "1.5|true|null|{\"a\":[1]}|\"x\"|    a|b    |",
        ),
        (r#""%v|%v|%v|%v", 1000000, 0.00001, 123456789012, 100000"#, "1e+06|1e-05|1.23456789012e+11|100000"),
        (r#""%s|%s|%q", 5, true, "a\"b<é""#, "5|true|\"a\\\"b\\u003cé\""),
        (r#""%.2s|%5.1s|%.0s|%05s|%05q", "abc", "xyz", "abc", "ab", "a""#, "ab|    x|abc|000ab|00\"a\""),
        (r#""%t|%5t|%d%%", "true", false, "12""#, "true|false|12%"),
        (r#""%[1]d %[1]s", 5"#, "5 5"),
        (r#""%.3d|%5.3d|", 7, 7"#, "007|  007|"),
        (r#""%g|%g|%g|%g", 1000000000000000000000, 123456789.0, 0, 99999"#, "1e+21|1.23456789e+08|0|99999"),
        (r#""%e|%.0f|%.1f|%.0f", 0, 2.5, 9.96, 0.4"#, "0.000000e+00|2|10.0|0"),
        (r#""%5.2f|%-7.1f|%07.1f", -1.555, 2.25, -3.33"#, "-1.56|2.2    |-0003.3"),
        (r#""%d", 12345678901234567890"#, "12345678901234567890"),
    ] {
        assert_eq!(formatted(arguments), text, "{arguments}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for (arguments, sentence) in [
        (r#""%s", "a", "b""#, "`%s` uses 1 of 2 values; take the others out"),
        (r#""x", "a""#, "`x` uses 0 of 1 values"),
        (r#""%s %s", "a""#, "`%s %s` asks for value 2 of 1"),
        (r#""%[3]s", "a""#, "asks for value 3 of 1"),
        (r#""%[0]s", "a""#, "asks for value 0 of 1"),
        (r#""%x", "a""#, "`%x` cannot show a string"),
        (r#""%-9d", 1.5"#, "`%-9d` shows whole numbers only"),
        (r#""%s", [1]"#, "`%s` cannot show a list"),
        (r#""%s", null"#, "`%s` cannot show null"),
        (r#""100%", 5"#, "`100%` has no verb behind its `%`; `%%` is a plain `%`"),
        (r#""%y", 5"#, "there is no verb `%y`"),
    ] {
        let shown = errors(&template(&format!("tags = {{ a = format({arguments}) }}"), "", ""));
        assert!(shown.contains(sentence), "{arguments}: {shown}");
    }
}
