//! wip
use source_http::testing::StripeMock;
fn main() {
    let mock = StripeMock::builder()
        .now(1_795_000_000)
        .count("charges", 20_000)
        .pretty(std::env::args().nth(1).is_some())
        .start();
    println!("{}", mock.url());
    let mut s = String::new();
    std::io::stdin().read_line(&mut s).unwrap();
}
