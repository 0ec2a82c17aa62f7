//! A column's cells in one piece of memory.

/// Texts one after the other, some of them missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cells {
    text: String,
    /// Where each cell ends in the text, and whether it is missing.
    ends: Vec<(usize, bool)>,
}

impl Cells {
    pub(super) fn push(&mut self, cell: Option<&str>) {
        self.text.push_str(cell.unwrap_or_default());
        self.ends.push((self.text.len(), cell.is_none()));
    }

    /// Cell number `index`; none where it is missing, or there is no such cell.
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let &(end, missing) = self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].0);
        (!missing).then(|| &self.text[start..end])
    }
}

impl<S: AsRef<str>> FromIterator<Option<S>> for Cells {
    fn from_iter<I: IntoIterator<Item = Option<S>>>(all: I) -> Cells {
        let mut cells = Cells::default();
        all.into_iter().for_each(|cell| cells.push(cell.as_ref().map(AsRef::as_ref)));
        cells
    }
}
