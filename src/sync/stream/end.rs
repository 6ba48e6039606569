//! The end of a stream: its last state, and how it ended.

use super::StreamRead;
use super::writer::{End, StreamWriter};
use crate::protocol::{LogLevel, StreamState};
use crate::stop::StopReason;

impl StreamRead<'_, '_> {
    /// Writes the last state and the final status, when no worker is left.
    pub(super) fn finish(&self, is_full_refresh: bool) -> anyhow::Result<()> {
        let stop = self.run.stop.reason();
        if let Some(reason @ StopReason::ClosedStdout) = stop {
            return Err(reason.error());
        }
        let is_sound = !self.writer.is_poisoned();
        let mut writer = self.any_writer();
        match (writer.end.take(), stop) {
            (None, Some(reason)) => {
                // Workers may have stopped anywhere: whether all was read is unknown.
                if is_sound && (writer.progress.is_changed() || writer.out.since_state() > 0) {
                    writer.write_known_state()?;
                }
                return Err(reason.error());
            }
            (end, _) => self.write_end(&mut writer, end, is_full_refresh)?,
        }
        Ok(writer.out.complete()?)
    }

    /// Writes the last state of a stream whose slices are read, or that ends for another reason.
    fn write_end(
        &self,
        writer: &mut StreamWriter<'_, '_>,
        end: Option<End>,
        is_full_refresh: bool,
    ) -> anyhow::Result<()> {
        match end {
            Some(End::Failed(error)) => {
                // Earlier records are already written, and such a state covers only these.
                if self.reads_on() && writer.is_begun && !self.writer.is_poisoned() {
                    self.write_last_state(writer, is_full_refresh)?;
                }
                return Err(writer.failed_slices.take().map_or(error, anyhow::Error::from));
            }
            Some(End::Limit) => {
                writer.write_state(writer.progress.state_with_begun())?;
                let limit = self.limit.unwrap_or_default();
                writer.out.log(LogLevel::Info, &format!("stopped at the limit of {limit} records."))?;
            }
            None => {
                if let Some(failure) = writer.progress.refusals.of_stream(self.is_first_read) {
                    return Err(failure.into());
                }
                writer.tell_of_refusals()?;
                if let Some(failure) = writer.failed_slices.take() {
                    self.write_last_state(writer, is_full_refresh)?;
                    return Err(failure.into());
                }
                let was_held = std::mem::take(&mut writer.is_all_or_nothing);
                writer.progress.forget_what_is_gone();
                let is_told = writer.out.has_state()
                    && writer.out.since_state() == 0
                    && !writer.progress.is_changed()
                    && !writer.progress.is_in_any_order();
                if is_full_refresh || was_held || !is_told {
                    self.write_last_state(writer, is_full_refresh)?;
                }
            }
        }
        Ok(())
    }

    fn write_last_state(&self, writer: &mut StreamWriter<'_, '_>, is_full_refresh: bool) -> anyhow::Result<()> {
        if !is_full_refresh || writer.is_all_or_nothing {
            return Ok(writer.write_state(writer.progress.last_state())?);
        }
        let has_cursor = !self.cursor_field.is_empty();
        let state = if has_cursor { writer.progress.last_state() } else { StreamState::new() };
        Ok(writer.out.state(self.stream.cursor().complete(state))?)
    }
}
