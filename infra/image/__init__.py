"""Steps of the image build: removal of unused files, compilation, and the inventory of packages and licences."""
