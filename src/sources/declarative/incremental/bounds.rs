//! The start and end of a datetime cursor: a text, or a `MinMaxDatetime`.

use super::super::part::{Builder, Part};
use super::super::placed::Text;
use super::formats;
use crate::protocol::Failure;
use crate::streams::cursor::Moment;

/// A moment from the config or the clock.
#[derive(Debug)]
pub(super) struct Bound {
    datetime: Text,
    min: Option<Text>,
    max: Option<Text>,
    format: String,
}

impl Bound {
    /// The bound that a part describes. `format` is that of the cursor.
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, format: &str) -> Option<Self> {
        if part.node.as_map().is_none() {
            let datetime = builder.text(part, &[])?;
            return Some(Self { datetime, min: None, max: None, format: format.to_owned() });
        }
        let text = |name: &str| match part.field(name).filter(|field| field.node.as_text() != Some("")) {
            None => Some(None),
            Some(field) => builder.text(&field, &[]).map(Some),
        };
        let (datetime, min, max) = (part.field("datetime")?, text("min_datetime"), text("max_datetime"));
        let format = part.text("datetime_format").filter(|format| !format.is_empty()).unwrap_or(format);
        Some(Self { datetime: builder.text(&datetime, &[])?, min: min?, max: max?, format: format.to_owned() })
    }

    /// The moment, as of now.
    ///
    /// # Errors
    /// A config failure if a template cannot be evaluated, or does not give a date in the format.
    pub(super) fn moment(&self) -> Result<Moment, Failure> {
        let mut moment = self.read(&self.datetime.literal(&[])?.to_text(), &self.datetime)?;
        for (other, is_min) in [(&self.min, true), (&self.max, false)] {
            let Some(other) = other else { continue };
            let text = other.literal(&[])?.to_text();
            if text.is_empty() {
                continue;
            }
            let bound = self.read(&text, other)?;
            moment = if is_min { moment.max(bound) } else { moment.min(bound) };
        }
        Ok(moment)
    }

    fn read(&self, text: &str, place: &Text) -> Result<Moment, Failure> {
        formats::moment(text, &self.format).ok_or_else(|| {
            Failure::config(format!(
                "{}: it is not a date in the format `{}`. Correct the manifest, or the setting that it uses.",
                place.place(),
                self.format
            ))
        })
    }
}
