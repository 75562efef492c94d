// Checks Simple File System, File, Block I/O and Disk I/O on the device that the image comes from. Leaves \EFI\TEST DIRECTORY\renamed.txt
// with 70,000 bytes for the host to look at.
        .include "pe.inc"
        .include "check.inc"
        pe_header

OPEN                    = 8
CLOSE                   = 16
DELETE                  = 24
READ                    = 32
WRITE                   = 40
GET_POSITION            = 48
SET_POSITION            = 56
GET_INFO                = 64
SET_INFO                = 72
FLUSH                   = 80
CREATE_MODE             = 1 << 63 | 3
BYTES                   = 100000
NEW_BYTES               = 70000

// A function of the interface whose address is in a register.
        .macro method interface, offset, a, b, c, d
        mov out0 = \interface
        .ifnb \a
        mov out1 = \a
        .endif
        .ifnb \b
        mov out2 = \b
        .endif
        .ifnb \c
        mov out3 = \c
        .endif
        .ifnb \d
        mov out4 = \d
        .endif
        add r14 = \offset, \interface
        ld8 r14 = [r14]
        call_descriptor
        .endm

        function entry, 2, 4
        mov out0 = in0
        mov out1 = in1
        br.call.sptk.many b0 = prepare
        mov r1 = loc2
        address out1, guid_loaded_image
        address out2, value
        boot HANDLE_PROTOCOL, in0
        expect r8, 0, "Loaded Image"
        load_at r16, value
        add r16 = 24, r16
        ld8 loc3 = [r16]
        store_at device, loc3
        address out1, guid_file_system
        address out2, value
        boot HANDLE_PROTOCOL, loc3
        expect r8, 0, "Simple File System"
        cmp.ne p6, p0 = 0, r8
 (p6)   br.cond.spnt.many 1f
        load_at loc4, value
        address out1, root
        method loc4, 8
        expect r8, 0, "OpenVolume"
        br.call.sptk.many b0 = test_files
        mov r1 = loc2
        br.call.sptk.many b0 = test_blocks
        mov r1 = loc2
1:      br.call.sptk.many b0 = verdict
        mov r1 = loc2
        return

        function test_files, 0, 6
        load_at loc3, root
        address out1, value
        address out2, no_such_file
        method loc3, OPEN, , , 1, 0
        expect r8, NOT_FOUND, "Open: no such file"
        address out1, value
        address out2, directory_name
        movl out3 = CREATE_MODE
        method loc3, OPEN, , , , 16
        expect r8, 0, "Open: new directory"
        load_at loc4, value
        address out1, value
        address out2, long_name
        movl out3 = CREATE_MODE
        method loc4, OPEN, , , , 0
        expect r8, 0, "Open: new file"
        load_at loc5, value
        // A pattern, written at once.
        address r16, buffer
        movl r17 = BYTES
        mov r18 = 0
1:      st1 [r16] = r18, 1
        add r17 = -1, r17
        add r18 = 7, r18
        cmp.ne p6, p0 = 0, r17
 (p6)   br.cond.sptk.many 1b
        movl r16 = BYTES
        store_at size, r16
        address out1, size
        address out2, buffer
        method loc5, WRITE
        expect r8, 0, "Write"
        expect_at size, BYTES, "Write: size"
        address out1, value
        method loc5, GET_POSITION
        expect_at value, BYTES, "GetPosition"
        // Read again from the middle, up to the end.
        movl r16 = BYTES - 1000
        method loc5, SET_POSITION, r16
        expect r8, 0, "SetPosition"
        movl r16 = 5000
        store_at size, r16
        address out1, size
        address out2, scratch
        method loc5, READ
        expect r8, 0, "Read"
        expect_at size, 1000, "Read: up to the end"
        address r16, scratch
        ld1 r17 = [r16]
        movl r18 = ((BYTES - 1000) * 7) & 0xff
        expect_relation eq, r17, r18, "Read: contents"
        movl r16 = 5000
        store_at size, r16
        address out1, size
        address out2, scratch
        method loc5, READ
        expect r8, 0, "Read: at the end"
        expect_at size, 0, "Read: nothing at the end"
        // Information: too small a buffer, then name and size.
        store_at size, r0
        address out1, guid_file_info
        address out2, size
        address out3, scratch
        method loc5, GET_INFO
        expect r8, BUFFER_TOO_SMALL, "GetInfo: no room"
        movl r16 = 1000
        store_at size, r16
        address out1, guid_file_info
        address out2, size
        address out3, scratch
        method loc5, GET_INFO
        expect r8, 0, "GetInfo"
        address r16, scratch + 8
        ld8 r16 = [r16]
        expect r16, BYTES, "GetInfo: size"
        // Another name, another size.
        movl r16 = NEW_BYTES
        address r17, scratch + 8
        st8 [r17] = r16
        address r16, new_name
        address r17, scratch + 80
        mov r19 = 24
2:      ld1 r18 = [r16], 1
        st1 [r17] = r18, 1
        add r19 = -1, r19
        cmp.ne p6, p0 = 0, r19
 (p6)   br.cond.sptk.many 2b
        mov r16 = 104
        address r17, scratch
        st8 [r17] = r16
        mov out2 = 104
        address out1, guid_file_info
        address out3, scratch
        method loc5, SET_INFO
        expect r8, 0, "SetInfo"
        method loc5, FLUSH
        expect r8, 0, "Flush"
        method loc5, CLOSE
        expect r8, 0, "Close"
        // Under the new name, in another case, by its path.
        address out1, value
        address out2, new_path
        method loc3, OPEN, , , 1, 0
        expect r8, 0, "Open: renamed"
        load_at loc5, value
        movl r16 = -1
        method loc5, SET_POSITION, r16
        address out1, value
        method loc5, GET_POSITION
        expect_at value, NEW_BYTES, "SetPosition: end"
        mov r16 = 1
        store_at size, r16
        address out1, size
        address out2, scratch
        method loc5, WRITE
        expect r8, ACCESS_DENIED, "Write: opened for reading"
        method loc5, CLOSE
        // The old name is gone.
        address out1, value
        address out2, long_name
        method loc4, OPEN, , , 1, 0
        expect r8, NOT_FOUND, "Open: old name"
        // The directory has ".", ".." and the file; then nothing.
        method loc4, SET_POSITION, r0
        mov loc6 = 0
3:      movl r16 = 1000
        store_at size, r16
        address out1, size
        address out2, scratch
        method loc4, READ
        expect r8, 0, "Read: directory"
        load_at r16, size
        cmp.eq p6, p7 = 0, r16
 (p7)   add loc6 = 1, loc6
 (p7)   br.cond.sptk.many 3b
        expect loc6, 3, "Read: entries"
        // A file that is deleted.
        address out1, value
        address out2, long_name
        movl out3 = CREATE_MODE
        method loc4, OPEN, , , , 0
        load_at loc5, value
        method loc5, DELETE
        expect r8, 0, "Delete"
        address out1, value
        address out2, long_name
        method loc4, OPEN, , , 1, 0
        expect r8, NOT_FOUND, "Open: deleted"
        method loc4, CLOSE
        method loc3, CLOSE
        return

// The partition's first block through both protocols.
        function test_blocks, 0, 4
        load_at loc3, device
        address out1, guid_block_io
        address out2, value
        boot HANDLE_PROTOCOL, loc3
        expect r8, 0, "Block I/O"
        load_at loc4, value
        add r16 = 8, loc4
        ld8 r16 = [r16]
        ld4 loc5 = [r16]                // number of the medium
        movl r16 = 512
        mov out2 = 0
        address out4, buffer
        method loc4, 24, loc5, , r16
        expect r8, 0, "ReadBlocks"
        address r16, buffer + 510
        ld2 r16 = [r16]
        expect r16, 0xaa55, "ReadBlocks: contents"
        movl r16 = 100
        mov out2 = 0
        address out4, buffer
        method loc4, 24, loc5, , r16
        expect r8, ERROR | 4, "ReadBlocks: size"
        movl r16 = 512
        movl out2 = 1 << 40
        address out4, buffer
        method loc4, 24, loc5, , r16
        expect r8, INVALID_PARAMETER, "ReadBlocks: behind the end"
        add r17 = 1, loc5
        mov out2 = 0
        address out4, buffer
        method loc4, 24, r17, , r16
        expect r8, ERROR | 13, "ReadBlocks: another medium"
        address out1, guid_disk_io
        address out2, value
        boot HANDLE_PROTOCOL, loc3
        expect r8, 0, "Disk I/O"
        load_at loc4, value
        movl r16 = 510
        address out4, scratch
        method loc4, 8, loc5, r16, 2
        expect r8, 0, "ReadDisk"
        address r16, scratch
        ld2 r16 = [r16]
        expect r16, 0xaa55, "ReadDisk: contents"
        return

        check_library "EFI FILES"

        .balign 8, 0
guid_loaded_image: data8 0x11d295625b1b31a1, 0x3b7269c9a0003f8e
guid_file_system:  data8 0x11d26459964e5b22, 0x3b7269c9a000398e
guid_block_io:     data8 0x11d26459964e5b21, 0x3b7269c9a000398e
guid_disk_io:      data8 0x11d2ba0bce345171, 0x3b7269c9a0004f8e
guid_file_info:    data8 0x11d26d3f09576e92, 0x3b7269c9a000398e
device: data8 0
root:   data8 0
value:  data8 0
size:   data8 0
        text no_such_file, "\\\\EFI\\\\no such file"
        text directory_name, "\\\\EFI\\\\TEST DIRECTORY"
        text long_name, "A long name for a file.text"
        text new_name, "renamed.txt"
        text new_path, "\\\\efi\\\\test directory\\\\RENAMED.TXT"
        .text
        .balign 16, 0
scratch: .skip 0x2000
buffer:  .skip 0x19000
        pe_end
