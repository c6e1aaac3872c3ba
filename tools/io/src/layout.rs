//! Which dimension each axis gets in a file that has to have them all declared.
use crate::{Dataset, DimensionInfo, Field, Group, conventions::TextKind};

/// The groups of a dataset, complete: each one that a variable's name has, with each dimension that a variable needs.
pub(crate) struct Layout {
    /// Each before those in it; the first is the root.
    pub groups: Vec<Group>,
    /// For each field its group and, but for the axis of strings, the dimensions of its axes.
    pub fields: Vec<Place>,
}

/// Where a field goes.
pub(crate) struct Place {
    pub group: usize,
    /// Its name in the group.
    pub name: String,
    pub axes: Vec<DimensionAt>,
}

/// A dimension by its place among those of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DimensionAt {
    pub group: usize,
    pub dimension: usize,
}

/// The extents of a field along its dimensions: strings are elements.
pub(crate) fn extents(field: &Field) -> &[u64] {
    let shape = field.source.shape();
    match (field.text, shape.split_last()) {
        (Some(TextKind::Strings), Some((_, rest))) => rest,
        _ => shape,
    }
}

impl Layout {
    pub fn of(dataset: &Dataset) -> Layout {
        let mut layout = Layout { groups: dataset.groups.clone(), fields: vec![] };
        layout.group("");
        let places: Vec<(usize, String)> = dataset
            .fields
            .iter()
            .enumerate()
            .map(|(k, field)| {
                let path = field.name.clone().unwrap_or_else(|| format!("field{k}"));
                let (group, name) = path.rsplit_once('/').unwrap_or(("", &path));
                (layout.group(group), if name.is_empty() { format!("field{k}") } else { name.to_owned() })
            })
            .collect();
        layout.resize(dataset, &places);
        for (field, (group, name)) in dataset.fields.iter().zip(places) {
            let mut axes = Vec::new();
            for (k, &extent) in extents(field).iter().enumerate() {
                let wanted = field.dimensions.get(k).map(String::as_str).unwrap_or_default();
                let at = layout.dimension(group, wanted, extent, &axes);
                axes.push(at);
            }
            layout.fields.push(Place { group, name, axes });
        }
        layout
    }

    /// The place of a group; it and those around it are made where they are not there.
    fn group(&mut self, path: &str) -> usize {
        if let Some(found) = self.groups.iter().position(|g| g.path == path) {
            return found;
        }
        if let Some((around, _)) = path.rsplit_once('/') {
            self.group(around);
        } else if !path.is_empty() {
            self.group("");
        }
        self.groups.push(Group { path: path.to_owned(), ..Group::default() });
        self.groups.len() - 1
    }

    /// Gives declared dimensions the extent of the variables that have them: a file may have grown, or be a part.
    fn resize(&mut self, dataset: &Dataset, places: &[(usize, String)]) {
        let mut largest = std::collections::HashMap::new();
        for (field, (group, _)) in dataset.fields.iter().zip(places) {
            for (name, &extent) in field.dimensions.iter().zip(extents(field)) {
                if let Some(at) = self.find(*group, name) {
                    let size: &mut u64 = largest.entry((at.group, at.dimension)).or_default();
                    *size = (*size).max(extent);
                }
            }
        }
        for ((group, dimension), size) in largest {
            self.groups[group].dimensions[dimension].size = size;
        }
    }

    /// A dimension by name, in a group or in one around it.
    fn find(&self, group: usize, name: &str) -> Option<DimensionAt> {
        let mut path = Some(self.groups[group].path.as_str());
        while let Some(here) = path {
            let group = self.groups.iter().position(|g| g.path == here);
            let dimension = group.and_then(|g| self.groups[g].dimensions.iter().position(|d| d.name == name));
            if let (Some(group), Some(dimension)) = (group, dimension) {
                return Some(DimensionAt { group, dimension });
            }
            path = match here.rsplit_once('/') {
                Some((around, _)) => Some(around),
                None if here.is_empty() => None,
                None => Some(""),
            };
        }
        None
    }

    /// The dimension of an axis: the one that it names, or a new one. Axes of one variable do not share a new one.
    fn dimension(&mut self, group: usize, wanted: &str, extent: u64, taken: &[DimensionAt]) -> DimensionAt {
        let fits = |d: &DimensionInfo| d.size == extent || d.unlimited && d.size > extent;
        if !wanted.is_empty() {
            match self.find(group, wanted) {
                Some(at) if fits(&self.groups[at.group].dimensions[at.dimension]) => return at,
                Some(_) => {}
                None => return self.declare(group, wanted.to_owned(), extent),
            }
        }
        let stem = if wanted.is_empty() { "dim" } else { wanted };
        for k in 1.. {
            let name = if k == 1 { format!("{stem}_{extent}") } else { format!("{stem}_{extent}_{k}") };
            match self.find(0, &name) {
                None => return self.declare(0, name, extent),
                Some(at) if !taken.contains(&at) && self.groups[at.group].dimensions[at.dimension].size == extent => {
                    return at;
                }
                Some(_) => {}
            }
        }
        DimensionAt { group: 0, dimension: 0 }
    }

    fn declare(&mut self, group: usize, name: String, size: u64) -> DimensionAt {
        let dimensions = &mut self.groups[group].dimensions;
        dimensions.push(DimensionInfo { name, size, unlimited: false });
        DimensionAt { group, dimension: dimensions.len() - 1 }
    }

    pub fn at(&self, at: DimensionAt) -> &DimensionInfo {
        &self.groups[at.group].dimensions[at.dimension]
    }
}
