import Glibc
import IA64

// Writes what the decoder reads at its start, see DecodingTable: `make decoding-table`.

guard CommandLine.arguments.count == 2 else {
  print("usage: decoding-table FILE")
  exit(2)
}
guard let file = fopen(CommandLine.arguments[1], "wb") else {
  perror(CommandLine.arguments[1])
  exit(2)
}
let bytes = DecodingTable.bytes()
guard fwrite(bytes, 1, bytes.count, file) == bytes.count, fclose(file) == 0 else {
  perror(CommandLine.arguments[1])
  exit(2)
}
