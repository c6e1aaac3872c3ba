//! The kinds of simulation, by name.
use crate::{
    Error, Field, Setup, acoustic_elastic, advection, convection, flame, gray_scott, mhd, rayleigh_taylor,
    shallow_water, turbulence2d, turbulence3d,
};
use std::{fmt, ops::RangeInclusive, str::FromStr};

/// What is simulated. The README of this package has a table of equations and of what is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Decaying incompressible turbulence in the plane.
    Turbulence2d,
    /// Decaying incompressible turbulence in a periodic box.
    Turbulence3d,
    /// Heavy gas over light gas.
    RayleighTaylor,
    /// A fluid heated from below.
    Convection,
    /// The Orszag–Tang vortex of ideal magnetohydrodynamics.
    MhdVortex,
    /// Spots and stripes of two reacting substances, in the plane or in space.
    ReactionDiffusion,
    /// Drops and waves on rotating shallow water.
    ShallowWater,
    /// Sound in a layered fluid.
    Acoustic,
    /// Seismic waves in a layered solid.
    Elastic,
    /// A premixed flame in stirred fuel.
    Flame,
    /// A tracer in a stirred fluid.
    Advection,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 11] = [
        Kind::Turbulence2d,
        Kind::Turbulence3d,
        Kind::RayleighTaylor,
        Kind::Convection,
        Kind::MhdVortex,
        Kind::ReactionDiffusion,
        Kind::ShallowWater,
        Kind::Acoustic,
        Kind::Elastic,
        Kind::Flame,
        Kind::Advection,
    ];

    /// Its name on the command line and in names of files.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Turbulence2d => "turbulence-2d",
            Kind::Turbulence3d => "turbulence-3d",
            Kind::RayleighTaylor => "rayleigh-taylor",
            Kind::Convection => "convection",
            Kind::MhdVortex => "mhd-vortex",
            Kind::ReactionDiffusion => "reaction-diffusion",
            Kind::ShallowWater => "shallow-water",
            Kind::Acoustic => "acoustic",
            Kind::Elastic => "elastic",
            Kind::Flame => "flame",
            Kind::Advection => "advection",
        }
    }

    /// A grid that takes seconds to a minute.
    pub fn default_grid(self) -> Vec<usize> {
        match self {
            Kind::Turbulence3d => vec![48; 3],
            Kind::RayleighTaylor => vec![256, 128],
            Kind::Convection => vec![96, 288],
            _ => vec![256; 2],
        }
    }

    /// How many axes its grid may have.
    fn axes(self) -> RangeInclusive<usize> {
        match self {
            Kind::Turbulence3d => 3..=3,
            Kind::ReactionDiffusion => 2..=3,
            _ => 2..=2,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = Error;
    fn from_str(name: &str) -> Result<Kind, Error> {
        Kind::ALL.into_iter().find(|k| k.name() == name).ok_or_else(|| Error::UnknownKind(name.to_owned()))
    }
}

/// Fewest and most points of an axis, and most values of a field: what solver and memory bear.
const EXTENT: RangeInclusive<usize> = 16..=4096;
const MOST_VALUES: usize = 1 << 30;

/// Runs the solver of `kind` and gives its variables, each of shape frames × grid.
///
/// Errors: `Shape` where the grid does not suit, `NotFinite` where the solver failed.
pub fn simulate(kind: Kind, setup: &Setup) -> Result<Vec<Field>, Error> {
    let axes = kind.axes();
    let values = setup.grid.iter().try_fold(setup.frames, |n, &extent| n.checked_mul(extent));
    if !axes.contains(&setup.grid.len())
        || !setup.grid.iter().all(|n| EXTENT.contains(n))
        || !values.is_some_and(|n| (1..=MOST_VALUES).contains(&n))
    {
        let (least, most) = (EXTENT.start(), EXTENT.end());
        let (from, to) = axes.into_inner();
        let axes = if from == to { format!("{from}") } else { format!("{from} or {to}") };
        let need = format!("{axes} axes of {least} to {most} points, one frame or more, and 2^30 values at most");
        return Err(Error::Shape { kind, got: setup.grid.clone(), need });
    }
    match kind {
        Kind::Turbulence2d => turbulence2d::run(setup),
        Kind::Turbulence3d => turbulence3d::run(setup),
        Kind::RayleighTaylor => rayleigh_taylor::run(setup),
        Kind::Convection => convection::run(setup),
        Kind::MhdVortex => mhd::run(setup),
        Kind::ReactionDiffusion => gray_scott::run(setup),
        Kind::ShallowWater => shallow_water::run(setup),
        Kind::Acoustic => acoustic_elastic::run(setup, acoustic_elastic::Medium::Fluid),
        Kind::Elastic => acoustic_elastic::run(setup, acoustic_elastic::Medium::Solid),
        Kind::Flame => flame::run(setup),
        Kind::Advection => advection::run(setup),
    }
}
