//! Which dimension each axis of an HDF5 dataset has, by netCDF-4's and HDF5's conventions of dimension scales.
use hdf5_reader::{Dataset, Hdf5File, group::Group, reference::read_object_references};
use std::collections::{HashMap, HashSet};

type Result<T> = hdf5_reader::error::Result<T>;

/// Deeper nests of groups are taken for a cycle.
const DEEPEST: usize = 32;

/// A dataset that gives axes their name.
pub(crate) struct Scale {
    /// Its name: that of the dimension.
    pub name: String,
    /// Which group declares it, by its place among the groups.
    pub group: usize,
    /// Its extent, or the largest of an axis that has it.
    pub size: u64,
    pub unlimited: bool,
    /// Whether it is a dimension only, and no variable.
    pub bare: bool,
    /// netCDF's number of the dimension.
    id: Option<i32>,
}

/// A group with its path: empty for the root.
pub(crate) struct Node {
    pub path: String,
    pub group: Group,
}

/// A dataset with its path, and the scale of each axis.
pub(crate) struct Leaf {
    pub path: String,
    pub group: usize,
    pub dataset: Dataset,
    /// By place among the scales.
    pub axes: Vec<Option<usize>>,
    /// The scale that it is itself.
    pub scale: Option<usize>,
}

/// All groups, each before those in it, with their datasets in the order of the file.
pub(crate) struct Tree {
    pub groups: Vec<Node>,
    pub leaves: Vec<Leaf>,
    pub scales: Vec<Scale>,
}

impl Tree {
    pub fn read(file: &Hdf5File) -> Result<Tree> {
        let mut tree = Tree { groups: vec![], leaves: vec![], scales: vec![] };
        let mut by_address = HashMap::new();
        tree.walk(file.root_group()?, String::new(), &mut by_address, &mut HashSet::new(), 0)?;
        for k in 0..tree.leaves.len() {
            let axes = tree.axes_of(&tree.leaves[k], &by_address);
            for (axis, scale) in axes.iter().enumerate() {
                let extent = tree.leaves[k].dataset.shape().get(axis).copied().unwrap_or(0);
                if let Some(scale) = scale.and_then(|s| tree.scales.get_mut(s)).filter(|s| s.unlimited) {
                    scale.size = scale.size.max(extent);
                }
            }
            tree.leaves[k].axes = axes;
        }
        Ok(tree)
    }

    fn walk(
        &mut self,
        group: Group,
        path: String,
        by_address: &mut HashMap<u64, usize>,
        seen: &mut HashSet<u64>,
        depth: usize,
    ) -> Result<()> {
        if depth > DEEPEST || !seen.insert(group.address()) {
            return Ok(());
        }
        let (children, datasets) = group.members()?;
        let place = self.groups.len();
        let below = |name: &str| {
            let leaf = name.rsplit('/').next().unwrap_or(name);
            if path.is_empty() { leaf.to_owned() } else { format!("{path}/{leaf}") }
        };
        for dataset in datasets {
            let path = below(dataset.name());
            let scale = scale_of(&dataset, &path, place).map(|scale| {
                self.scales.push(scale);
                by_address.insert(dataset.address(), self.scales.len() - 1);
                self.scales.len() - 1
            });
            self.leaves.push(Leaf { path, group: place, dataset, axes: vec![], scale });
        }
        let paths: Vec<String> = children.iter().map(|c| below(c.name())).collect();
        self.groups.push(Node { path, group });
        for (child, path) in children.into_iter().zip(paths) {
            self.walk(child, path, by_address, seen, depth + 1)?;
        }
        Ok(())
    }

    fn axes_of(&self, leaf: &Leaf, by_address: &HashMap<u64, usize>) -> Vec<Option<usize>> {
        let (dataset, rank) = (&leaf.dataset, leaf.dataset.ndim());
        match leaf.scale {
            Some(scale) if rank == 1 => vec![Some(scale)],
            // A scale cannot have scales: netCDF lists the numbers of its dimensions.
            Some(_) => {
                let ids = dataset.attribute("_Netcdf4Coordinates").and_then(|a| a.read_1d::<i32>()).unwrap_or_default();
                (0..rank)
                    .map(|k| ids.get(k).and_then(|&id| self.scales.iter().position(|s| s.id == Some(id))))
                    .collect()
            }
            None => {
                let addresses = scale_addresses(dataset, self.groups[leaf.group].group.offset_size());
                (0..rank)
                    .map(|k| addresses.get(k).copied().flatten().and_then(|a| by_address.get(&a).copied()))
                    .collect()
            }
        }
    }

    /// The dimensions of a group, in netCDF's order where it has one.
    pub fn dimensions(&self, group: usize) -> Vec<&Scale> {
        let mut all: Vec<&Scale> = self.scales.iter().filter(|s| s.group == group).collect();
        all.sort_by_key(|s| s.id.unwrap_or(i32::MAX));
        all
    }

    /// Whether any dimension has a number of netCDF's.
    pub fn is_netcdf(&self) -> bool {
        self.scales.iter().any(|s| s.id.is_some())
    }
}

fn scale_of(dataset: &Dataset, path: &str, group: usize) -> Option<Scale> {
    let text = |name: &str| dataset.attribute(name).ok().and_then(|a| a.read_string().ok());
    if text("CLASS")? != "DIMENSION_SCALE" {
        return None;
    }
    let unlimited = dataset.max_dims().and_then(|d| d.first().copied()) == Some(u64::MAX);
    Some(Scale {
        name: path.rsplit('/').next().unwrap_or(path).to_owned(),
        group,
        size: dataset.shape().first().copied().unwrap_or(1),
        unlimited,
        bare: text("NAME").is_some_and(|n| n.starts_with("This is a netCDF dimension but not a netCDF variable")),
        id: dataset.attribute("_Netcdf4Dimid").and_then(|a| a.read_scalar::<i32>()).ok(),
    })
}

/// For each axis, the address of the first scale that `DIMENSION_LIST` attaches to it.
fn scale_addresses(dataset: &Dataset, offset_size: u8) -> Vec<Option<u64>> {
    let Ok(list) = dataset.attribute("DIMENSION_LIST") else { return vec![] };
    let size = dataset.vlen_reference_size();
    let first = |entry: &[u8]| {
        let bytes = dataset.resolve_vlen_reference_bytes(entry, usize::from(offset_size)).ok()?;
        read_object_references(&bytes, offset_size).ok()?.first().copied()
    };
    list.raw_data.chunks_exact(size.max(1)).map(first).collect()
}
