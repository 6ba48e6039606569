//! A summary of an output.

use super::Messages;
use super::envelope::Message;

impl Messages {
    /// A summary of the output, for assertions on the order of messages: `charges STARTED`, `charges RUNNING`, `charges
    /// 100 records`, `charges STATE {"updated":"1"}`, `charges ERROR config_error`, `LOG INFO`, `SPEC` and so on.
    /// Consecutive records of a stream are one line.
    pub fn outline(&self) -> Vec<String> {
        let mut outline = Vec::new();
        let mut run: Option<(&str, usize)> = None;
        for message in self.messages() {
            if let Message::Record { stream, .. } = message {
                match &mut run {
                    Some((name, count)) if *name == stream.name => *count += 1,
                    _ => {
                        outline.extend(run.take().map(records_line));
                        run = Some((&stream.name, 1));
                    }
                }
                continue;
            }
            outline.extend(run.take().map(records_line));
            match message {
                Message::State { streams, .. } if streams.is_empty() => {
                    outline.push("STATE".to_owned());
                }
                Message::State { streams, .. } => {
                    outline.extend(streams.iter().map(|state| format!("{} STATE {}", state.stream, state.state)));
                }
                other => outline.push(other.headline()),
            }
        }
        outline.extend(run.map(records_line));
        outline
    }
}

fn records_line((stream, count): (&str, usize)) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{stream} {count} record{plural}")
}
