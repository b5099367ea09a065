/* A QR code of a short ASCII text, as the path of an SVG (ISO/IEC 18004: byte mode, level L, mask 2, versions 1 to 40).
   Made here and not by the server, because the text holds a private key that only this page may know.
   Module by module what segno, the server's encoder, makes of the same text. */
"use strict";

const vwgQr = (() => {
  // Of each version: error correction bytes of a block, and blocks, at level L (table 9).
  const CORRECTION = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
                      28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30];
  const BLOCKS = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
                  8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25];
  const MASK = 2;

  // -- the field GF(256) over x^8 + x^4 + x^3 + x^2 + 1 (0x11D) --------------------------------
  const EXP = new Uint8Array(512);
  const LOG = new Uint8Array(256);
  for (let power = 0, value = 1; power < 255; power++) {
    EXP[power] = EXP[power + 255] = value;
    LOG[value] = power;
    value = value & 128 ? (value << 1) ^ 0x11d : value << 1;
  }
  const times = (a, b) => (a && b ? EXP[LOG[a] + LOG[b]] : 0);

  /* The product of (x - 2^0) ... (x - 2^(degree-1)), highest power first, without the leading 1. */
  function generator(degree) {
    const found = new Uint8Array(degree);
    found[degree - 1] = 1;
    for (let root = 0; root < degree; root++) {
      for (let place = 0; place < degree; place++) {
        found[place] = times(found[place], EXP[root]) ^ (place + 1 < degree ? found[place + 1] : 0);
      }
    }
    return found;
  }

  function remainder(data, divisor) {
    const rest = new Uint8Array(divisor.length);
    for (const byte of data) {
      const factor = byte ^ rest[0];
      rest.copyWithin(0, 1);
      rest[rest.length - 1] = 0;
      divisor.forEach((term, place) => { rest[place] ^= times(term, factor); });
    }
    return rest;
  }

  // -- how much fits -----------------------------------------------------------------------------
  const alignments = (version) => (version === 1 ? 0 : Math.floor(version / 7) + 2);

  function codewords(version) {
    const count = alignments(version);
    const side = 17 + 4 * version;
    let free = side * side - 3 * 64 - 31 - 2 * (side - 16);  // finders, format, timing
    if (count) free -= 25 * (count * count - 3) - 10 * (count - 2);  // 5 modules of some lie on the timing
    if (version >= 7) free -= 36;
    return Math.floor(free / 8);
  }

  const dataBytes = (version) =>
    codewords(version) - CORRECTION[version - 1] * BLOCKS[version - 1];

  // -- from text to codewords ----------------------------------------------------------------------
  function encode(bytes, version) {
    const bits = [];
    const push = (value, width) => {
      for (let bit = width - 1; bit >= 0; bit--) bits.push((value >> bit) & 1);
    };
    const room = 8 * dataBytes(version);
    push(4, 4);  // byte mode
    push(bytes.length, version < 10 ? 8 : 16);
    bytes.forEach((byte) => push(byte, 8));
    push(0, Math.min(4, room - bits.length));
    push(0, (8 - (bits.length % 8)) % 8);
    for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) push(pad, 8);
    const found = new Uint8Array(room / 8);
    bits.forEach((bit, place) => { found[place >> 3] |= bit << (7 - (place & 7)); });
    return found;
  }

  function interleaved(data, version) {
    const blocks = BLOCKS[version - 1];
    const degree = CORRECTION[version - 1];
    const divisor = generator(degree);
    const short = Math.floor(data.length / blocks);
    const long = data.length % blocks;  // so many blocks, the last ones, have a byte more
    const parts = [];
    for (let block = 0, start = 0; block < blocks; block++) {
      const size = short + (block >= blocks - long ? 1 : 0);
      const part = data.subarray(start, start + size);
      parts.push([part, remainder(part, divisor)]);
      start += size;
    }
    const found = [];
    for (let place = 0; place <= short; place++) {
      for (const [part] of parts) if (place < part.length) found.push(part[place]);
    }
    for (let place = 0; place < degree; place++) {
      for (const [, check] of parts) found.push(check[place]);
    }
    return found;
  }

  // -- the square ------------------------------------------------------------------------------------
  function centres(version) {
    const count = alignments(version);
    if (!count) return [];
    const step = version === 32 ? 26 : Math.ceil((4 * version + 4) / (2 * count - 2)) * 2;
    const found = [6];
    for (let place = 4 * version + 10; found.length < count; place -= step) found.splice(1, 0, place);
    return found;
  }

  /* Two squares: dark modules, and those that are not data. */
  function fixed(version) {
    const side = 17 + 4 * version;
    const dark = Array.from({ length: side }, () => new Uint8Array(side));
    const taken = Array.from({ length: side }, () => new Uint8Array(side));
    const set = (x, y, on) => {
      if (x < 0 || y < 0 || x >= side || y >= side) return;
      dark[y][x] = on ? 1 : 0;
      taken[y][x] = 1;
    };
    for (let place = 0; place < side; place++) {
      set(6, place, place % 2 === 0);
      set(place, 6, place % 2 === 0);
    }
    const ring = (cx, cy, reach, light) => {
      for (let y = -reach; y <= reach; y++) {
        for (let x = -reach; x <= reach; x++) {
          set(cx + x, cy + y, !light.includes(Math.max(Math.abs(x), Math.abs(y))));
        }
      }
    };
    for (const [cx, cy] of [[3, 3], [side - 4, 3], [3, side - 4]]) ring(cx, cy, 4, [2, 4]);
    const lines = centres(version);
    const last = lines.length - 1;
    lines.forEach((cy, row) => lines.forEach((cx, column) => {
      const corner = (!row && !column) || (!row && column === last) || (row === last && !column);
      if (!corner) ring(cx, cy, 2, [1]);
    }));
    return { side, dark, taken, set };
  }

  function format(square) {
    const data = (1 << 3) | MASK;  // level L is 01
    let check = data;
    for (let step = 0; step < 10; step++) check = (check << 1) ^ ((check >> 9) * 0x537);
    const bits = ((data << 10) | check) ^ 0x5412;
    const bit = (place) => (bits >> place) & 1;
    const { side, set } = square;
    for (let place = 0; place < 6; place++) set(8, place, bit(place));
    set(8, 7, bit(6));
    set(8, 8, bit(7));
    set(7, 8, bit(8));
    for (let place = 9; place < 15; place++) set(14 - place, 8, bit(place));
    for (let place = 0; place < 8; place++) set(side - 1 - place, 8, bit(place));
    for (let place = 8; place < 15; place++) set(8, side - 15 + place, bit(place));
    set(8, side - 8, 1);
  }

  function versionBits(square, version) {
    if (version < 7) return;
    let check = version;
    for (let step = 0; step < 12; step++) check = (check << 1) ^ ((check >> 11) * 0x1f25);
    const bits = (version << 12) | check;
    for (let place = 0; place < 18; place++) {
      const far = square.side - 11 + (place % 3);
      const near = Math.floor(place / 3);
      square.set(far, near, (bits >> place) & 1);
      square.set(near, far, (bits >> place) & 1);
    }
  }

  /* Two columns at a time, from the right, up and down in turns; the timing column is left out. */
  function fill(square, bytes) {
    const { side, dark, taken } = square;
    let place = 0;
    for (let right = side - 1; right > 0; right -= 2) {
      if (right === 6) right = 5;
      const up = ((right + 1) & 2) === 0;
      for (let step = 0; step < side; step++) {
        const y = up ? side - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (taken[y][x]) continue;
          const bit = place < 8 * bytes.length ? (bytes[place >> 3] >> (7 - (place & 7))) & 1 : 0;
          dark[y][x] = bit ^ (x % 3 === 0 ? 1 : 0);  // mask 2
          place++;
        }
      }
    }
  }

  /* The modules of a text's code, as rows of 0 and 1. Throws for what is not ASCII or too long. */
  function matrix(text) {
    const bytes = Array.from(text, (char) => char.codePointAt(0));
    if (bytes.some((byte) => byte > 126)) throw new RangeError("not ASCII");
    let version = 1;
    while (bytes.length + (version < 10 ? 2 : 3) > dataBytes(version)) {
      version++;
      if (version > 40) throw new RangeError("too long");
    }
    const square = fixed(version);
    format(square);
    versionBits(square, version);
    fill(square, interleaved(encode(bytes, version), version));
    return square.dark;
  }

  /* The code as an <svg>, black on white, with the quiet zone of four modules. */
  function svg(text, label) {
    const rows = matrix(text);
    const side = rows.length + 8;
    let path = "";
    rows.forEach((row, y) => {
      for (let x = 0; x < row.length; x++) {
        let run = 0;
        while (row[x + run]) run++;
        if (run) path += `M${x + 4} ${y + 4}h${run}v1h-${run}z`;
        x += run;
      }
    });
    const make = (name, values) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", name);
      Object.entries(values).forEach(([key, value]) => node.setAttribute(key, value));
      return node;
    };
    const picture = make("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": label });
    picture.append(make("rect", { width: side, height: side, fill: "#fff" }));
    picture.append(make("path", { d: path, fill: "#000" }));
    return picture;
  }

  return { matrix, svg };
})();
