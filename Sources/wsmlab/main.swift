import NIOCore
import NIOPosix
import ArgumentParser
