# Read by GPAW's build (environment variable GPAW_CONFIG): a C++ compiler is all it needs.
# Left to itself the build breaks where an MPI compiler is present without its libraries.
compiler = "g++"
mpi = False
scalapack = False
fftw = False
noblas = True
nolibxc = True
