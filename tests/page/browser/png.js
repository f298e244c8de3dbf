// PNGs that are as small as pictures of text and even colours can be: of at most 256 colours.
import assert from "node:assert/strict";
import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

// Makes a picture of at most 256 colours out of one as the browser takes it: the commonest stay, the others become the
// nearest of these.
export function reduced(png) {
  const { width, height, colours } = decoded(png);
  const counts = new Map();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = chosen([...counts].toSorted((a, b) => b[1] - a[1] || a[0] - b[0]).map(([colour]) => colour));
  const nearest = new Map();
  const number = (colour) => {
    if (!nearest.has(colour)) nearest.set(colour, closest(palette, colour));
    return nearest.get(colour);
  };
  const lines = Buffer.alloc((width + 1) * height); // each begins with the number of its filter: none
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) lines[y * (width + 1) + 1 + x] = number(colours[y * width + x]);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const plte = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", plte), chunk("IDAT", deflateSync(lines, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

// Colours in the order of how common they are: those are taken that none of the taken is near, and nearer ones later.
function chosen(colours) {
  const palette = [];
  for (const least of [900, 300, 100, 30, 0]) {
    for (const colour of colours) {
      if (palette.length === 256) return palette;
      if (palette.every((other) => distance(other, colour) > least)) palette.push(colour);
    }
  }
  return palette;
}

function closest(palette, colour) {
  return palette.reduce((best, other, k) => (distance(other, colour) < distance(palette[best], colour) ? k : best), 0);
}

function distance(a, b) {
  return ((a >> 16) - (b >> 16)) ** 2 + (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2;
}

// Reads a picture of 8 bits a channel that is not interlaced, without regard to transparency.
function decoded(png) {
  assert.ok(png.subarray(0, 8).equals(SIGNATURE));
  const width = png.readUInt32BE(16), height = png.readUInt32BE(20), channels = { 2: 3, 6: 4 }[png[25]];
  assert.ok(png[24] === 8 && channels && png[28] === 0);
  const parts = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const bytes = inflateSync(Buffer.concat(parts)), stride = width * channels;
  const colours = new Uint32Array(width * height);
  let above = Buffer.alloc(stride);
  for (let y = 0; y < height; y += 1) {
    const line = Buffer.from(bytes.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    unfilter(bytes[y * (stride + 1)], line, above, channels);
    for (let x = 0; x < width; x += 1) {
      colours[y * width + x] = (line[x * channels] << 16) | (line[x * channels + 1] << 8) | line[x * channels + 2];
    }
    above = line;
  }
  return { width, height, colours };
}

function unfilter(kind, line, above, channels) {
  for (let k = 0; k < line.length; k += 1) {
    const left = k < channels ? 0 : line[k - channels], up = above[k], corner = k < channels ? 0 : above[k - channels];
    line[k] += [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind];
  }
}

function paeth(left, up, corner) {
  const guess = left + up - corner, [a, b, c] = [left, up, corner].map((side) => Math.abs(guess - side));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]), framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc(body), body.length + 4);
  return framed;
}

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let k = 0; k < 8; k += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}
