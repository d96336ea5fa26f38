declare module 'unbzip2-stream' {
  /** A stream that takes bzip2 and gives what was compressed. */
  export default function bunzip2(): NodeJS.ReadWriteStream;
}
