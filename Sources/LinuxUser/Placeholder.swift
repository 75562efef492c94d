// LinuxUser
