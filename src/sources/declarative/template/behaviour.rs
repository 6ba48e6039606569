//! Results of templates beyond the golden cases: answers of airbyte-cdk 7.39.1 that a comparison over random templates
//! showed to be easy to miss, and our own limits, faults and lazy look-ups.

use super::datetime::{format_datetime, parse_datetime, parse_duration, strftime, strptime};
use super::{
    Fault, FaultKind, InterpolatedBoolean, InterpolatedString, Json, Literal, Scope, Template, ValidType, Variable,
};

const CONFIG: &str = r#"{"key": "k1", "n": 5, "secret": "s3cr3t", "list": ["a", "b"], "none": null, "big": 12345678901234567890,
    "recs": [{"id": 1, "n": "b"}, {"id": 2, "n": "A"}], "items": "shadow", "twice": 1, "twice": 2, "neg": -7}"#;

fn with_config<T>(run: impl FnOnce(&Scope<'_>) -> T) -> T {
    let variables = [
        ("config", Variable::Json(Json::Text(CONFIG))),
        ("parameters", Variable::Json(Json::Text("{}"))),
        ("record", Variable::Json(Json::Text(r#"{"id": 7, "a": {"b": [1, {"c": "deep"}]}, "nul": null}"#))),
    ];
    let scope = Scope::new(&variables, &|| 1_710_498_030_123_456, &|| 4);
    run(&scope)
}

fn eval(template: &str) -> Result<Literal, Box<Fault>> {
    with_config(|scope| InterpolatedString::compile(template, None)?.eval(scope))
}

fn repr(template: &str) -> String {
    match eval(template) {
        Ok(value) => value.repr(),
        Err(fault) => format!("{}: {fault}", fault.class),
    }
}

fn fault(template: &str) -> Box<Fault> {
    match eval(template) {
        Ok(value) => panic!("{template} gives {}", value.repr()),
        Err(fault) => fault,
    }
}

#[test]
fn expressions_give_what_the_reference_gives() {
    let cases = [
        ("{{ -2 ** 2 }}", "4"),
        ("a{{ self.name }}b", "'ab'"),
        ("{{ 2 ** 3 ** 2 }}", "64"),
        ("{{ (1e16 // 3) / -4 }}", "-833333333333333.2"),
        ("{{ -7 % 3 }} {{ -7.5 // 2 }} {{ 7 // -2 }}", "'2 -4.0 -4'"),
        ("{{ 9007199254740993 == 9007199254740992.0 }}", "False"),
        ("{{ 'x' if false }}{{ 0.1 + 0.2 }}", "0.30000000000000004"),
        ("{{ '%s|%5s|%-5s|%05d|%+.1f|%x' % ('a', 'b', 'c', -42, 2.25, 255) }}", "'a|    b|c    |-0042|+2.2|ff'"),
        ("{{ '{:,} {:>6} {:.1%} {!r:5}|'.format(1234567, 'ab', 0.256, 'q') }}", "\"1,234,567     ab 25.6% 'q'  |\""),
        ("{{ ' a b  c '.split(none, 1) }}", "['a', 'b  c ']"),
        ("{{ 'x-y-z'.rpartition('-') }}", "('x-y', '-', 'z')"),
        ("{{ 'aXbX'|regex_replace('x*', '-') }}", "'-a-X-b-X-'"),
        ("{{ config.recs|groupby('n')|list }}", "[('A', [{'id': 2, 'n': 'A'}]), ('b', [{'id': 1, 'n': 'b'}])]"),
        ("{{ config.recs|sort(attribute='n')|map(attribute='id')|join }}", "21"),
        ("{{ [1,2,3,4,5]|slice(2)|list }}", "[[1, 2, 3], [4, 5]]"),
        ("{{ config.items }}x", "'<built-in method items of dict object at 0x7f0000000000>x'"),
        ("{{ config['items'] }}", "'shadow'"),
        ("{{ config.twice }}", "2"),
        ("{{ record.a.b[1].c }}{{ record['a']['b'][-1]['c'] }}", "'deepdeep'"),
        ("{{ record.get('a', {}).get('zz', 'none') }}", "'none'"),
        ("{% for x in [1,2,3] %}{{ loop.cycle('o','e') }}{% if not loop.last %},{% endif %}{% endfor %}", "'o,e,o'"),
        ("{% for x in [[1,[2]],3] recursive %}{{ x if x is number else loop(x) }}{% endfor %}", "123"),
        ("{% macro m(a, b=2) %}{{ a }}{{ b }}{{ varargs }}{% endmacro %}{{ m(1, 3, 4) }}", "'13(4,)'"),
        ("{% macro m() %}<{{ caller(5) }}>{% endmacro %}{% call(x) m() %}{{ x + 1 }}{% endcall %}", "'<6>'"),
        ("{% set ns = namespace(n=0) %}{% for x in [1,2] %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}", "3"),
        ("{{ [] * 1704164645678 }}{{ '' * 1704164645678 }}", "[]"),
        ("{#- c -#} {{ 1 }}{##}", "1"),
        ("{% raw -%}  {{ x }} {%- endraw %}", "'{{ x }}'"),
        ("{{ today_with_timezone('Asia/Tokyo') }} {{ today_with_timezone('utc') }}", "'2024-03-15 2024-03-15'"),
        ("{{ (now_utc() - duration('P1D')).timetuple().tm_isdst }}", "-1"),
        ("{{ generate_uuid() }}", "'00000000-0000-4004-8000-000000000004'"),
    ];
    for (template, expected) in cases {
        assert_eq!(repr(template), expected, "{template}");
    }
}

#[test]
fn a_text_is_one_literal_or_stays_text() {
    let cases = [
        ("1\n ", "'1\\n '"),
        ("1\n \t\n", "1"),
        ("-(5)", "-5"),
        ("-(-5)", "'-(-5)'"),
        ("1_000", "1000"),
        ("1,", "(1,)"),
        ("{1: 'a', True: 'b'}", "{1: 'b'}"),
        ("{'a', 'a'}", "{'a'}"),
        ("'a' b'b'", "\"'a' b'b'\""),
        ("(1,\n# c\n2)", "(1, 2)"),
        ("'\\ud800'", "\"'\\\\ud800'\""),
        ("b'\\xff\\400'", "b'\\xff\\x00'"),
        ("[[1", "'[[1'"),
    ];
    for (text, expected) in cases {
        assert_eq!(Literal::of_text(text.to_owned(), &[]).repr(), expected, "{text}");
    }
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Literal::parse(&deep(200)).is_some());
    assert!(Literal::parse(&deep(201)).is_none());
    assert!(Literal::parse(&"9".repeat(4300)).is_some());
    assert!(Literal::parse(&"9".repeat(4301)).is_none());
    assert_eq!(Literal::of_text("True".to_owned(), &[ValidType::Int]), Literal::Bool(true));
}

#[test]
fn a_type_error_is_a_fault_that_names_the_expression_and_no_value() {
    let cases = [
        "{{ config.secret + 1 }}",
        "{{ config.secret > 1 }}",
        "{{ config.none.get('x') < 3 or config.n.x() }}",
        "{{ ','.join([config.n]) }}",
    ];
    for template in cases {
        let fault = fault(template);
        assert!(matches!(fault.kind, FaultKind::Type | FaultKind::Undefined), "{fault}");
        assert!(!fault.to_string().contains("s3cr3t"), "{fault}");
        assert_eq!(fault.expression.as_deref(), Some(template));
        assert_eq!(fault.line, 1);
    }
    for template in
        ["{{ duration(config.secret) }}", "{{ str_to_datetime(config.secret) }}", "{{ {}[config.secret].x }}"]
    {
        assert!(!fault(template).to_string().contains("s3cr3t"), "{template}");
    }
    let condition = InterpolatedBoolean::compile("{{ record.nul > 18 }}").unwrap();
    assert_eq!(with_config(|scope| condition.eval(scope)).unwrap_err().kind, FaultKind::Type);
}

#[test]
fn faults_of_a_template_are_reported_with_their_place() {
    let cases = [
        ("a\n  {{ config.key", "TemplateSyntaxError", 2),
        ("{{ x | uper }}", "TemplateAssertionError", 1),
        ("\n\n{% bogus %}", "TemplateSyntaxError", 3),
        ("{{ stream_state.x }}", "AirbyteTracedException", 1),
    ];
    for (template, class, line) in cases {
        let fault = Template::compile(template).unwrap_err();
        assert_eq!((fault.class, fault.line), (class, line), "{fault}");
    }
    let fault = Template::compile("{{ x | uper }}").unwrap_err();
    assert!(fault.message.ends_with("Did you mean 'upper'?"), "{fault}");
    let template = Template::compile("{{ cofig.key }} {{ today() }} {% set a = 1 %}{{ a }}").unwrap();
    let faults = template.undeclared(&["config", "parameters"]);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].message.ends_with("Did you mean 'config'?"), "{}", faults[0]);
    assert_eq!((faults[0].line, faults[0].column), (1, 4));
}

#[test]
fn a_name_that_only_a_branch_sets_is_looked_up_outside() {
    let template = Template::compile("{% if config.n %}{% set x = 1 %}{% endif %}{{ x }}").unwrap();
    assert_eq!(template.variables().collect::<Vec<_>>(), ["config", "x"]);
    let template = Template::compile("{% set x = 0 %}{% if config.n %}{% set x = 1 %}{% endif %}{{ x }}").unwrap();
    assert_eq!(template.variables().collect::<Vec<_>>(), ["config"]);
}

#[test]
fn a_template_of_the_config_alone_is_constant() {
    let constant = |text: &str| Template::compile(text).unwrap().is_constant();
    assert!(constant("{{ config['x'] }}") && constant("plain") && constant("{{ parameters.p|upper }}"));
    assert!(constant("{{ format_datetime(config.d, '%Y') }}"));
    assert!(!constant("{{ now_utc() }}") && !constant("{{ record.x }}") && !constant("{{ [1]|random }}"));
    assert!(!constant("{{ day_delta(1) }}") && !constant("{{ [1]|map('random') }}"));
}

#[test]
fn a_sent_text_is_not_read_as_a_literal() {
    let variables = [("config", Variable::Json(Json::Text(r#"{"token": "0123", "pin": "1e5", "list": "[1]"}"#)))];
    let scope = Scope::new(&variables, &|| 0, &|| 0);
    let text = |template: &str| InterpolatedString::compile(template, None).unwrap().eval_text(&scope).unwrap();
    assert_eq!((text("{{ config.pin }}"), text("{{ config['list'] }}")), ("1e5".to_owned(), "[1]".to_owned()));
    assert!(Template::compile("{{ config.pin }}").unwrap().is_one_expression());
    assert!(!Template::compile("Bearer {{ config.pin }}").unwrap().is_one_expression());
}

#[test]
fn a_template_that_takes_too_much_ends_as_a_fault() {
    let nest = |open: &str, close: &str| format!("{{{{ {}1{} }}}}", open.repeat(100_000), close.repeat(100_000));
    let cases = [
        "{{ 'x' * 99999999999 }}".to_owned(),
        "{{ [1] * 99999999 }}".to_owned(),
        "{{ 9 ** 9 ** 9 ** 9 ** 9 ** 9 ** 9 }}".to_owned(),
        "{{ 'x'.ljust(9999999999) }}".to_owned(),
        "{{ '%9999999999d' % 1 }}".to_owned(),
        "{% set a = [1] * 1000 %}{% for x in a %}{% for y in a %}{% for z in a %}{% endfor %}{% endfor %}{% endfor %}"
            .to_owned(),
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".to_owned(),
        "{% set l = [] %}{{ l.append(l) }}".to_owned(),
        nest("(", ")"),
        nest("[", "]"),
        nest("-", ""),
        nest("not ", ""),
        nest("1+", ""),
        nest("1 if ", " else 1"),
        "{% if 1 %}".repeat(100_000),
    ];
    for template in cases {
        let fault = fault(&template);
        let short: String = template.chars().take(60).collect();
        assert!(matches!(fault.kind, FaultKind::Limit | FaultKind::Other | FaultKind::Syntax), "{short}: {fault}");
    }
    // Nested as deep as its steps allow, and then dropped.
    let deep = "{% set ns = namespace(l=[]) %}{% for x in [1] * 20000 %}{% set ns.l = [ns.l] %}{% endfor %}ok";
    assert_eq!(repr(deep), "'ok'");
}

#[test]
fn dates_are_read_and_printed_as_python_does() {
    let read = |text: &str, format: &str| match parse_datetime(text, format) {
        Ok(moment) => moment.isoformat(),
        Err(fault) => fault.class.to_owned(),
    };
    let cases = [
        ("1704164645.5", "%s_as_float", "2024-01-02T03:04:05.500000+00:00"),
        ("-1", "%ms", "1969-12-31T23:59:59.999000+00:00"),
        ("2024-W05-3", "%G-W%V-%u", "2024-01-31T00:00:00+00:00"),
        ("2024 10 3", "%Y %U %w", "2024-03-13T00:00:00+00:00"),
        ("29/2", "%d/%m", "ValueError"),
        ("12 AM", "%I %p", "1900-01-01T00:00:00+00:00"),
        ("2024-01-02T03:04:05.1Z", "%Y-%m-%dT%H:%M:%S.%_msZ", "2024-01-02T03:04:05.100000+00:00"),
        ("99999999999999", "%s", "ValueError"),
        ("2024", "%Y %Y", "error"),
    ];
    for (text, format, expected) in cases {
        assert_eq!(read(text, format), expected, "{text} as {format}");
    }
    let moment = strptime("0099-01-05 03:04:05.678901 +0530", "%Y-%m-%d %H:%M:%S.%f %z").unwrap();
    assert_eq!(
        strftime(&moment, "%Y %F %C %y %G %j|%-H %_M %^a %#p %10d|%Z %z %Q %3f %"),
        "99 99-01-05 0 99 99 005|3  4 MON am 0000000005|UTC+05:30 +0530 %Q %3f %"
    );
    assert_eq!(format_datetime(&moment, "%f|%_ms"), "678|678");
    let later = parse_duration("P1Y1M1DT0.5S").unwrap().added_to(strptime("2023-01-31", "%Y-%m-%d").unwrap()).unwrap();
    assert_eq!(later.isoformat(), "2024-03-01T00:00:00.500000");
    assert!(parse_duration("P1D2Y").is_err() && parse_duration("P").is_err() && parse_duration("p1d").is_err());
}
