// An image that executes what nobody handles.
        .include "pe.inc"
        pe_header

        function entry, 2, 1
        break.i 0x42
        mov r8 = 0
        return

        pe_end
