//! Where everything stands, by arithmetic from the size and the counts.

/// A county tile looks best this much wider than high.
const ASPECT: f64 = 1.3;
/// Sides of a station's place.
const CELLS: (f64, f64) = (7.0, 36.0);

/// A place on the picture.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tile {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// The note stands below the children, since the name leaves no room beside it.
    pub(super) note_below: bool,
}

/// A straight line.
pub(super) type Link = ((f64, f64), (f64, f64));

/// The whole picture.
#[derive(Debug)]
pub(super) struct Layout {
    /// Outer margin.
    pub(super) pad: f64,
    /// Inner margin of a tile.
    pub(super) inset: f64,
    /// Font size, never below 14.
    pub(super) font: f64,
    /// Width of an idle line.
    pub(super) thick: f64,
    gap: f64,
    heads: Vec<Tile>,
    networks: Vec<Tile>,
    counties: Vec<Tile>,
    county_columns: usize,
    /// Networks stand in a row of their own below the core.
    upright: bool,
}

/// `count` tiles beside each other.
fn row(count: usize, x: f64, y: f64, width: f64, height: f64, gap: f64) -> Vec<Tile> {
    let wide = (width - gap * (count.max(1) - 1) as f64) / count.max(1) as f64;
    // Whole pixels: edges stay crisp and the text short.
    (0..count)
        .map(|i| Tile {
            x: (x + i as f64 * (wide + gap)).round(),
            y: y.round(),
            width: wide.floor(),
            height: height.floor(),
            note_below: false,
        })
        .collect()
}

/// Columns of a grid of `count` tiles whose sides come nearest to the best aspect in this place.
fn columns(count: usize, (width, height): (f64, f64), (between, gap): (f64, f64)) -> usize {
    let side = |columns: usize| {
        let rows = count.div_ceil(columns) as f64;
        let wide = (width - between * (columns - 1) as f64) / columns as f64;
        let high = (height - gap * (rows - 1.0)) / rows;
        (wide / ASPECT).min(high)
    };
    let best = (1..=count.max(1)).max_by(|a, b| side(*a).total_cmp(&side(*b))).unwrap_or(1);
    // As many rows, but filled: 17 as 6, 6 and 5 rather than 7, 7 and 3.
    count.div_ceil(count.div_ceil(best).max(1)).max(1)
}

impl Layout {
    /// The layout of this size with so many nodes; `heads` is the core and, before it, the province.
    pub(super) fn of(width: f64, height: f64, heads: usize, networks: usize, counties: usize) -> Layout {
        let scale = (width / 1_280.0).min(height / 800.0);
        let font = (16.0 * scale).clamp(14.0, 48.0).round();
        let upright = width < height;
        let pad = if upright { 8.0 } else { (12.0 * scale).round().max(8.0) };
        let gap = if upright { 22.0 } else { (26.0 * scale).round().max(22.0) };
        let between = if upright { 6.0 } else { (12.0 * scale).round().max(8.0) };
        let inset = (font * 0.5).round();
        // Room for the riser that feeds the lower rows.
        let left = pad + (gap * 0.5).round();
        let across = width - left - pad;
        let strip = (font * 1.9 + 2.0 * inset + height * 0.04).round();
        let mut top = pad;
        let (head_tiles, network_tiles);
        if upright {
            head_tiles = row(heads, left, top, across, strip, gap);
            top += strip + gap;
            network_tiles = row(networks, left, top, across, strip, between);
            top += if networks > 0 { strip + gap } else { 0.0 };
        } else {
            let mut all = row(heads + networks, left, top, across, strip, gap);
            network_tiles = all.split_off(heads);
            head_tiles = all;
            top += strip + gap;
        }
        let room = (height - pad - top).max(40.0);
        let county_columns = columns(counties, (across, room), (between, gap));
        let rows = counties.div_ceil(county_columns).max(1);
        let high = (room - gap * (rows - 1) as f64) / rows as f64;
        let mut county_tiles = Vec::with_capacity(counties);
        for r in 0..rows {
            let y = top + r as f64 * (high + gap);
            let mut tiles = row(county_columns, left, y, across, high.max(20.0), between);
            tiles.truncate(counties - county_tiles.len());
            county_tiles.append(&mut tiles);
        }
        Layout {
            pad,
            inset,
            font,
            thick: (2.0 * scale).clamp(2.0, 5.0),
            gap,
            heads: head_tiles,
            networks: network_tiles,
            counties: county_tiles,
            county_columns,
            upright,
        }
    }

    /// All tiles in the order province, core, networks, counties.
    pub(super) fn tiles(&self) -> impl Iterator<Item = Tile> {
        self.heads.iter().chain(&self.networks).chain(&self.counties).copied()
    }

    fn core(&self) -> Tile {
        self.heads.last().copied().unwrap_or_default()
    }

    /// From the province to the core.
    pub(super) fn province_link(&self) -> Option<Link> {
        let [province, core] = self.heads.as_slice() else { return None };
        let y = core.y + core.height / 2.0;
        Some(((province.x + province.width, y), (core.x, y)))
    }

    /// Height of the bus above a row of tiles.
    fn above(&self, tile: &Tile) -> f64 {
        tile.y - self.gap / 2.0
    }

    /// The bus: down from the core, along every row, and the riser at the left that joins the rows.
    pub(super) fn bus(&self) -> Vec<Link> {
        let core = self.core();
        let rows: Vec<&[Tile]> = if self.upright && !self.networks.is_empty() {
            std::iter::once(self.networks.as_slice())
                .chain(self.counties.chunks(self.county_columns))
                .collect()
        } else {
            self.counties.chunks(self.county_columns).collect()
        };
        let first = core.y + core.height + self.gap / 2.0;
        let x = core.x + core.width / 2.0;
        let riser = self.pad;
        let mut links = vec![((x, core.y + core.height), (x, first))];
        let mut lowest = first;
        for (i, tiles) in rows.iter().enumerate() {
            let Some(last) = tiles.last() else { continue };
            let y = self.above(last);
            let mut right = last.x + last.width / 2.0;
            if i == 0 {
                // The first bus also carries the core, and on a screen the networks.
                let hung = self.networks.last().filter(|_| !self.upright).map_or(x, |n| n.x + n.width / 2.0);
                right = right.max(x).max(hung);
            }
            links.push(((riser, y), (right, y)));
            lowest = y;
        }
        if lowest > first {
            links.push(((riser, first), (riser, lowest)));
        }
        if rows.is_empty() && !self.upright {
            let hung = self.networks.last().map_or(x, |n| n.x + n.width / 2.0);
            links.push(((x, first), (hung, first)));
        }
        links
    }

    /// From each network to the bus.
    pub(super) fn network_drops(&self) -> impl Iterator<Item = Link> {
        self.networks.iter().map(|tile| {
            let x = tile.x + tile.width / 2.0;
            if self.upright {
                ((x, self.above(tile)), (x, tile.y))
            } else {
                let bottom = tile.y + tile.height;
                ((x, bottom), (x, bottom + self.gap / 2.0))
            }
        })
    }

    /// From each county to the bus above it.
    pub(super) fn county_drops(&self) -> impl Iterator<Item = Link> {
        self.counties.iter().map(|tile| {
            let x = tile.x + tile.width / 2.0;
            ((x, self.above(tile)), (x, tile.y))
        })
    }

    /// Where the children of a tile stand: below its line of text.
    pub(super) fn field(&self, tile: &Tile) -> Tile {
        let head = (self.inset + self.font * 1.35).round();
        let foot = (self.inset * 0.6 + if tile.note_below { self.font * 1.25 } else { 0.0 }).round();
        Tile {
            x: tile.x + self.inset,
            y: tile.y + head,
            width: (tile.width - 2.0 * self.inset).max(1.0),
            height: (tile.height - head - foot).max(1.0),
            note_below: false,
        }
    }

    /// One side for the children of several tiles, so that they compare: the largest with which every tile holds
    /// its children, else the smallest that can be told apart.
    pub(super) fn cell(&self, tiles: impl Iterator<Item = (usize, Tile)>) -> f64 {
        let largest = (CELLS.1 * self.font / 16.0).floor();
        tiles.filter(|(children, _)| *children > 0).fold(largest, |cell, (children, tile)| {
            let field = self.field(&tile);
            let mut fitting = cell;
            // From the largest to the smallest in whole pixels: a few dozen steps.
            while fitting > CELLS.0
                && ((field.width / fitting) as usize) * ((field.height / fitting) as usize) < children
            {
                fitting -= 1.0;
            }
            fitting
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counties_stand_in_a_grid_that_suits_the_screen() {
        for (width, height, counties, wanted) in [
            (1_024.0, 600.0, 17, 6),
            (1_280.0, 800.0, 17, 6),
            (1_920.0, 1_080.0, 17, 6),
            (390.0, 844.0, 17, 3),
            (1_280.0, 480.0, 17, 6),
            (1_280.0, 800.0, 1, 1),
        ] {
            let layout = Layout::of(width, height, 2, 3, counties);
            assert_eq!(layout.county_columns, wanted, "{width}×{height}");
        }
    }

    #[test]
    fn no_tile_leaves_the_picture_or_covers_another() {
        for (width, height) in [(1_024.0, 600.0), (1_280.0, 800.0), (1_920.0, 1_080.0), (390.0, 844.0)] {
            for counties in [0, 1, 5, 17, 31] {
                let tiles: Vec<Tile> = Layout::of(width, height, 2, 3, counties).tiles().collect();
                for (i, a) in tiles.iter().enumerate() {
                    assert!(a.x >= 0.0 && a.x + a.width <= width, "{width} {counties} {a:?}");
                    assert!(a.y >= 0.0 && a.y + a.height <= height, "{height} {counties} {a:?}");
                    for b in &tiles[i + 1..] {
                        let apart = a.x + a.width <= b.x
                            || b.x + b.width <= a.x
                            || a.y + a.height <= b.y
                            || b.y + b.height <= a.y;
                        assert!(apart, "{width}×{height}, {counties} counties: {a:?} {b:?}");
                    }
                }
            }
        }
    }
}
